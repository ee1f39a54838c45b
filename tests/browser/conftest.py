"""A browser, a person at it, and a stack that nothing else works on."""

import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from pydantic import SecretStr

from deployments.stack.ports import HOST, SERVER
from tests.fakes.drills.game_day import GameDay
from tests.fakes.polling import eventually
from tests.fakes.prefect.prefect_ui import PrefectUi, executable, opened
from tests.fakes.stack.local_stack import REPOSITORY, Stack, login_of

FOLDER = REPOSITORY / "test-artifacts" / "browser"
FAILED = pytest.StashKey[bool]()
UNENDED = {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "PAUSED", "CANCELLING"]}}}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and skip it with a reason where there is none."""
    missing = executable() is None
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(400))
        item.add_marker(pytest.mark.skipif(sys.platform == "win32", reason="the stack is POSIX"))
        item.add_marker(pytest.mark.skipif(missing, reason="no Chromium here; Debian's package is chromium"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether the test failed: only then what the browser did is kept, step by step."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def window() -> Iterator[BrowserContext]:
    """Open the browser once; it is gone before other tests run, which have an event loop of their own."""
    path = executable()
    assert path
    with sync_playwright() as playwright, opened(playwright, path) as one:
        yield one


@pytest.fixture(scope="package")
def quiet_day(stack: Stack) -> Iterator[GameDay]:
    """Give the stack with no run but those that a person starts."""
    one = GameDay(stack.state_dir, stack=stack)
    try:
        one.begin()
        yield one
    finally:
        one.leave_alone(alone=False)


@pytest.fixture
def day(quiet_day: GameDay) -> Iterator[GameDay]:
    """Give the stack healthy and armed, and put it back: no run that waits, no incident, no mark."""
    quiet_day.before = {one.incident_id for one in quiet_day.incidents()}
    yield quiet_day
    try:
        cancel_all(quiet_day)
    finally:
        quiet_day.heal()


@pytest.fixture
def ui(window: BrowserContext, quiet_day: GameDay, request: pytest.FixtureRequest) -> Iterator[PrefectUi]:
    """Sit down at the Prefect UI; of a test that fails the last page and every step are kept."""
    address = f"http://{HOST}:{quiet_day.record.ports[SERVER]}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    window.tracing.start_chunk(title=request.node.name)
    pictures = Path(os.environ.get("PICTURES") or FOLDER)
    one = PrefectUi(
        window.new_page(), address, pictures, lambda name: str(quiet_day.ask_api(f"deployments/name/{name}")["id"])
    )
    one.sign_in(SecretStr(login_of(quiet_day.state_dir)))
    yield one
    kept = FOLDER / re.sub(r"\W+", "-", request.node.name) if request.node.stash.get(FAILED, False) else None
    if kept:
        one.page.screenshot(path=f"{kept}.png")
    one.page.close()
    window.tracing.stop_chunk(path=f"{kept}.zip" if kept else None)
    assert one.asked == {address.split("//")[1]}, "a page of the UI asked somebody else"


def cancel_all(day: GameDay) -> None:
    """End every run that still works or waits, as a test that failed leaves it."""

    def ended() -> bool:
        left = day.ask_api("flow_runs/filter", UNENDED)
        for one in left:
            # A part of a run has no process of its own that a worker would end.
            kind = "CANCELLING" if one["deployment_id"] else "CANCELLED"
            day.ask_api(f"flow_runs/{one['id']}/set_state", {"state": {"type": kind}})
        return not left

    eventually(ended, within_s=60, every_s=0.5)
