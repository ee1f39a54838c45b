"""What is made once for many tests: which of them run in one process for it, and when it may end."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# Each costs CPU also when nobody uses it: a stack a tenth of a core.
ONCE = ("stack", "prefect_api", "quiet_api")
# Two stacks that start at once would choose the same free ports, and each server more takes a core for seconds.
# The flows have two: theirs is the longest wait. A third one acts by itself, as that of a stack does.
SHARING = {
    "tests/e2e/": "stack",
    "tests/flows/test_approval.py": "second prefect",
    "tests/flows/test_manual_action.py": "second prefect",
    "tests/flows/test_escalation.py": "second prefect",
    "tests/flows/test_scenarios.py": "second prefect",
    "tests/flows/test_watchdog_trigger.py": "prefect with automations",
    "tests/flows/": "prefect",
    "tests/deployments/prefect_server/test_browser_requests.py": "prefect",
    "tests/tasks/clients/locks/test_shared_lock.py": "prefect",
    "tests/tasks/clients/service/test_one_pass.py": "prefect",
}


def scope(test: str) -> str:
    """Name the group of a test, by its id; most are alone in theirs."""
    return next((group for place, group in SHARING.items() if test.startswith(place)), test)


class Together(LoadScopeScheduling):
    """Hand out groups whole, the largest first, and every other test by itself.

    The groups that pytest-xdist knows by a mark it writes into the ids of tests, and what failed is not found again.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def end_what_is_over(item: pytest.Item, following: pytest.Item | None) -> None:
    """End what is made once, after the last test that shares it; who needs it again gets another one."""
    if following is None or scope(following.nodeid) != following.nodeid:
        return
    for name in set(ONCE).difference(getattr(following, "fixturenames", ())):
        for fixture in item.session._fixturemanager.getfixturedefs(name, item) or ():
            # No other way than pytest's own: a session's fixture lives as long as the session.
            fixture.finish(item._request)  # type: ignore[attr-defined]
