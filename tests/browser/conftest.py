"""A browser, a person at it, and a stack that nothing else works on."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.fakes.drills import GameDay
from tests.fakes.local_stack import REPOSITORY, Stack
from tests.fakes.prefect_ui import PrefectUi, executable, launch

FOLDER = REPOSITORY / "test-artifacts" / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and skip it with a reason where there is none."""
    missing = executable() is None
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(300))
        item.add_marker(pytest.mark.skipif(sys.platform == "win32", reason="the stack is POSIX"))
        item.add_marker(pytest.mark.skipif(missing, reason="no Chromium here; Debian's package is chromium"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start the browser once; it is gone before other tests run, which have an event loop of their own."""
    path = executable()
    assert path
    with sync_playwright() as playwright:
        running = launch(playwright, path)
        yield running
        running.close()


@pytest.fixture(scope="package")
def day(stack: Stack) -> Iterator[GameDay]:
    """Give the stack healthy and armed, with no run but those that a person starts."""
    one = GameDay(stack.state_dir, stack=stack)
    try:
        one.begin()
        yield one
        one.heal()
    finally:
        one.leave_alone(alone=False)


@pytest.fixture
def ui(browser: Browser, day: GameDay, request: pytest.FixtureRequest) -> Iterator[PrefectUi]:
    """Sit down at the Prefect UI; what was seen is kept, and named by the test."""
    pictures = Path(os.environ.get("PICTURES") or FOLDER)
    address = str(day.stack.status()["prefect"]["ui_url"])
    with PrefectUi.open(browser, address, FOLDER, request.node.name) as one:
        one.pictures = pictures
        yield one
        assert one.asked == {address.split("//")[1]}, "a page of the UI asked somebody else"
