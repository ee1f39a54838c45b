"""A person at the Prefect UI: what they click, type and read, in a real browser. Nothing here asks the API."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

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
SIZE = {"width": 1280, "height": 900}


def executable() -> str | None:
    """Find a Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """Start the browser, with a profile of its own that nothing was in before."""
    return playwright.chromium.launch(executable_path=path, args=[*FLAGS])


@dataclass
class PrefectUi:
    """One tab. `asked` are the hosts that any page of it asked for anything."""

    page: Page
    address: str
    pictures: Path
    asked: set[str]

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, address: str, pictures: Path, name: str) -> Iterator["PrefectUi"]:
        """Open a tab, and keep what was seen in it: a trace of every step, and the last page."""
        expect.set_options(timeout=PATIENCE_MS)
        context = browser.new_context(viewport=SIZE, device_scale_factor=1)  # type: ignore[arg-type]
        context.tracing.start(screenshots=True, snapshots=True)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        one = cls(page, address, pictures, set())
        page.on("response", lambda answer: one.asked.add(answer.url.split("/")[2]))
        pictures.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", name)
        try:
            yield one
        finally:
            page.screenshot(path=pictures / f"{name}-last.png")
            context.tracing.stop(path=pictures / f"{name}-trace.zip")
            context.close()

    # Where a person goes.

    def find_deployment(self, flow: str, name: str) -> None:
        """Search the list of deployments as a person does who knows the name, and open the one of the flow."""
        self.page.goto(self.address)
        self.page.get_by_role("link", name="Deployments", exact=True).click()
        self.page.get_by_role("textbox", name="Search deployments").fill(name)
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=flow, exact=True))
        row.get_by_role("link", name=name, exact=True).click()

    def open_form(self, flow: str, name: str) -> None:
        """Go to the form of a deployment."""
        self.find_deployment(flow, name)
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.page.get_by_role("button", name="Submit")).to_be_visible()

    def open_run(self, run_id: str) -> None:
        """Follow a link to a run, as messages have it."""
        self.page.goto(f"{self.address}/v2/flow-runs/flow-run/{run_id}")

    def open_artifact(self, key: str) -> Locator:
        """Open one artifact of the run that is shown, from the list of all of its key, and give its text."""
        self.page.get_by_role("tab", name="Artifacts").click()
        self.page.get_by_role("link", name=re.compile(key)).first.click()
        self.page.get_by_role("link", name=re.compile(r"^[0-9a-f]{8}$")).first.click()
        self.page.wait_for_url("**/artifacts/artifact/**")
        return self.page.get_by_role("main")

    # What a person does.

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
        self.drop_down(name).click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def submit(self) -> str:
        """Press Submit, and follow the note that leads to the run; gives the run's id."""
        self.page.get_by_role("button", name="Submit").click()
        self.page.get_by_role("link", name="View run").click()
        self.page.wait_for_url("**/runs/flow-run/**")
        return self.page.url.rpartition("/")[2].partition("?")[0]

    def run_form(self, flow: str, name: str, **fields: str) -> str:
        """Fill and submit a form, and wait for the end of its run; gives the run's name."""
        self.open_form(flow, name)
        self.fill(fields)
        self.submit()
        return self.ended()

    def menu(self, entry: str) -> Locator:
        """Choose from the menu of what is shown; gives the dialog that asks once more."""
        self.page.get_by_role("button", name="Open menu").first.click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()
        return self.page.get_by_role("dialog")

    # What a person reads.

    def ended(self, state: str = "Completed") -> str:
        """Wait until the run that is shown has ended, and read its name."""
        expect(self.page.get_by_text(state, exact=True).first).to_be_visible()
        return self.heading()

    def heading(self) -> str:
        """Read the name of the run that is shown."""
        crumbs = self.page.get_by_role("navigation", name="breadcrumb").get_by_role("listitem")
        return crumbs.last.inner_text()

    def picture(self, name: str, **options: Any) -> None:
        """Keep what is shown now."""
        self.page.screenshot(path=self.pictures / f"{name}.png", **options)
