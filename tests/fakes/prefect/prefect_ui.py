"""A person at the Prefect UI: what they click, type and read, in a real browser."""

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect
from playwright.sync_api import TimeoutError as TookTooLong
from pydantic import SecretStr

from deployments.prefect_server.sign_in import sign_in_link

# Debian's name, then those of other systems.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A run on two busy cores takes its time; each wait ends as soon as the page shows it.
PATIENCE_MS = 60_000
CLICK_MS = 5_000
SIZE = {"width": 1280, "height": 900}


def executable() -> str | None:
    """Find a Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened(playwright: Playwright, path: str) -> Iterator[BrowserContext]:
    """Open a window with a profile of its own that nothing was in before; what its pages loaded once, they keep."""
    expect.set_options(timeout=PATIENCE_MS)
    browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
    window = browser.new_context(viewport=SIZE, device_scale_factor=1, reduced_motion="reduce")  # type: ignore[arg-type]
    window.set_default_timeout(PATIENCE_MS)
    window.tracing.start(snapshots=True)
    try:
        yield window
    finally:
        browser.close()


@dataclass
class PrefectUi:
    """One tab. `deployment_id` finds a form by its name; `asked` are the hosts that any page asked for anything."""

    page: Page
    address: str
    pictures: Path
    deployment_id: Callable[[str], str]
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note who is asked, from the first page on."""
        self.page.on("response", lambda answer: self.asked.add(answer.url.split("/")[2]))

    # Where a person goes.

    def sign_in(self, login: SecretStr) -> None:
        """Open the link that `runbook up` printed."""
        self.page.goto(sign_in_link(self.address, login))
        self.page.wait_for_url(f"{self.address}/v2/**")

    def find_form(self, name: str) -> None:
        """Search the list of deployments as a person does who knows the name, and go to the form."""
        flow, _, deployment = name.partition("/")
        self.page.goto(self.address)
        self.page.get_by_role("link", name="Deployments", exact=True).click()
        self.page.get_by_role("textbox", name="Search deployments").fill(deployment)
        rows = self.page.get_by_role("row").filter(has=self.page.get_by_role("link"))
        found = self.page.get_by_role("link", name=deployment, exact=True)
        expect(rows.filter(has_not=found)).to_have_count(0)
        self.follow(rows.filter(has=self.page.get_by_role("link", name=flow, exact=True)).locator(found))
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.submit_button).to_be_visible()

    def open_form(self, name: str) -> None:
        """Go to the form of a deployment by a bookmark."""
        self.page.goto(f"{self.address}/v2/deployments/deployment/{self.deployment_id(name)}/run")
        expect(self.submit_button).to_be_visible()

    def follow(self, link: Locator) -> None:
        """Click a link until it leads where it says: a list that is drawn again under the mouse loses a click."""
        path = urlsplit(link.get_attribute("href")).path
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while urlsplit(self.page.url).path != path:
            assert time.monotonic() < deadline, f"the link to {path} leads nowhere"
            with suppress(TookTooLong):
                link.click(timeout=CLICK_MS)
                self.page.wait_for_url(lambda url: urlsplit(url).path == path, timeout=CLICK_MS, wait_until="commit")

    def open_run(self, run_id: str) -> None:
        """Follow a link to a run, as messages have it."""
        self.page.goto(f"{self.address}/v2/flow-runs/flow-run/{run_id}")

    def open_artifact(self, key: str) -> Locator:
        """Open one artifact of the run that is shown, and give its text; Prefect 3.8 lists all of its key first."""
        self.page.get_by_role("tab", name="Artifacts").click()
        self.follow(self.page.get_by_role("link", name=re.compile(key)).first)
        if "/artifacts/artifact/" not in self.page.url:
            self.follow(self.page.get_by_role("link", name=re.compile(r"^[0-9a-f]{8}$")).first)
        return self._text_of_artifact()

    def open_artifact_by_id(self, artifact_id: str) -> Locator:
        """Follow a link to an artifact, and give its text."""
        self.page.goto(f"{self.address}/v2/artifacts/artifact/{artifact_id}")
        return self._text_of_artifact()

    def _text_of_artifact(self) -> Locator:
        expect(self.page.get_by_text("Raw", exact=True)).to_be_visible()
        return self.page.get_by_role("main")

    # What a person does.

    @property
    def submit_button(self) -> Locator:
        """The button that starts the run of a form."""
        return self.page.get_by_role("button", name="Submit")

    def fill(self, fields: Mapping[str, str]) -> None:
        """Fill a form: type into what can be typed into, choose from what has a list."""
        for name, value in fields.items():
            labeled = re.compile(rf"^{name}( \(Optional\))?$", re.IGNORECASE)
            text = self.page.get_by_role("textbox", name=labeled)
            text.or_(self.drop_down(name)).first.wait_for()
            if text.count():
                text.fill(value)
            else:
                self.choose(name, value)

    def drop_down(self, name: str) -> Locator:
        """Find a list of words."""
        return self.page.get_by_role("button", name=re.compile(rf"^Select {name}$", re.IGNORECASE))

    def choose(self, name: str, value: str) -> None:
        """Choose a word from a drop-down, by mouse."""
        option = self.page.get_by_role("option", name=value, exact=True)
        self.open_list(name, option)
        option.click()
        # While a list fades out, it takes the next click.
        expect(self.page.get_by_role("option")).to_have_count(0)

    def open_list(self, name: str, option: Locator) -> None:
        """Click a drop-down until its list shows a word: one that is drawn again under the mouse loses a click."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not option.is_visible():
            assert time.monotonic() < deadline, f"the list of {name} shows no such word"
            with suppress(TookTooLong):
                self.drop_down(name).click(timeout=CLICK_MS)
                option.wait_for(timeout=CLICK_MS)

    def submit(self) -> str:
        """Press Submit, and follow the note that leads to the run; gives the run's id."""
        self.submit_button.click()
        self.follow(self.page.get_by_role("link", name="View run"))
        return self.page.url.rpartition("/")[2].partition("?")[0]

    def run_form(self, form: str, **fields: str) -> str:
        """Fill and submit a form, and wait for the end of its run; gives the run's name."""
        self.open_form(form)
        self.fill(fields)
        self.submit()
        return self.ended()

    def menu(self, entry: str) -> Locator:
        """Choose from the menu of what is shown; gives the dialog that asks once more."""
        self.page.get_by_role("button", name="Open menu").first.click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()
        return self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog"))

    # What a person reads.

    def ended(self, state: str = "Completed") -> str:
        """Wait until the run that is shown has ended, and read its name."""
        expect(self.page.get_by_text(state, exact=True).first).to_be_visible()
        return self.heading()

    def heading(self) -> str:
        """Read the name of the run that is shown."""
        crumbs = self.page.get_by_role("navigation", name="breadcrumb").get_by_role("listitem")
        return crumbs.last.inner_text()

    def picture(self, name: str, height: int = SIZE["height"]) -> None:
        """Keep what is shown now, in a window so high that what matters needs no scrolling."""
        self.page.set_viewport_size({**SIZE, "height": height})  # type: ignore[typeddict-item]
        self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled", caret="hide")
        self.page.set_viewport_size(SIZE)  # type: ignore[arg-type]
