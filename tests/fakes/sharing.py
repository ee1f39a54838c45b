"""What is made once for many tests: which of them run in one process for it, in what order, and when it may end."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Each costs CPU also when nobody uses it: a stack a tenth of a core.
ONCE = ("stack", "prefect_api", "quiet_api")
# Two stacks that start at once would choose the same free ports, and each server more takes a core for seconds.
# The flows have two: theirs is the longest wait. A third one acts by itself, as that of a stack does.
HOUSE = "what was read of every file"
SHARING = {
    "tests/e2e/": "stack",
    "tests/flows/test_approval.py": "second prefect",
    "tests/flows/test_manual_action.py": "second prefect",
    "tests/flows/test_escalation.py": "second prefect",
    "tests/flows/test_scenarios.py": "second prefect",
    "tests/flows/test_watchdog_trigger.py": "prefect with automations",
    "tests/flows/": "prefect",
    "tests/tasks/clients/locks/test_shared_lock.py": "prefect",
    "tests/tasks/clients/service/test_one_pass.py": "prefect",
    "tests/house/": HOUSE,
}
GROUPS = tuple(dict.fromkeys(SHARING.values()))
# What starts processes or waits on a clock, which takes longer than what computes.
SLOW = ("e2e", "prefect", "live")


def group(test: str) -> str | None:
    """Name what a test shares with other files, by its id."""
    return next((shared for place, shared in SHARING.items() if test.startswith(place)), None)


def file_of(test: str) -> str:
    """Name the file of a test: what a file makes for its tests is made in one process."""
    return test.partition("::")[0]


def sort(items: list[pytest.Item]) -> None:
    """Let groups go first and slow files next: what begins last is short, so that all processes end together."""
    slow = {file_of(item.nodeid) for item in items if any(item.get_closest_marker(name) for name in SLOW)}

    def rank(item: pytest.Item) -> int:
        shared = group(item.nodeid)
        return GROUPS.index(shared) if shared else len(GROUPS) + (file_of(item.nodeid) not in slow)

    items.sort(key=rank)


class Together(LoadScopeScheduling):
    """Hand out groups and files whole, in the order of the tests.

    The groups that pytest-xdist knows by a mark it writes into the ids of tests, and what failed is not found again.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid) or file_of(nodeid)


def end_what_is_over(item: pytest.Item, following: pytest.Item | None) -> None:
    """End what is made once, after the last test that shares it; who needs it again gets another one."""
    if following is None or group(following.nodeid) not in (None, HOUSE):
        return
    for name in set(ONCE).difference(getattr(following, "fixturenames", ())):
        for fixture in item.session._fixturemanager.getfixturedefs(name, item) or ():
            # No other way than pytest's own: a session's fixture lives as long as the session.
            fixture.finish(item._request)  # type: ignore[attr-defined]
