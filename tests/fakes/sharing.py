"""Which tests run in one process when several share the work: those that share what is made once a session."""

from xdist.scheduler import LoadScopeScheduling

# Two stacks that start at once would choose the same free ports, and each server more takes a core for seconds.
# The flows have two: theirs is the longest wait.
SHARING = {
    "tests/e2e/": "stack",
    "tests/flows/test_approval.py": "prefect for people",
    "tests/flows/test_by_hand.py": "prefect for people",
    "tests/flows/test_escalation.py": "prefect for people",
    "tests/flows/": "prefect",
    "tests/tasks/clients/test_shared_lock.py": "prefect",
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
