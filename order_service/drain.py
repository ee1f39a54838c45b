"""Leaving in good order: no new orders, those in flight finish, then the process may go."""

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

POLL_S = 0.02
RETRY_AFTER_S = 5


class Drain:
    """Know whether new orders are still taken, and wait for those that run."""

    def __init__(self) -> None:
        self.draining = False

    def begin(self) -> None:
        """Take no new orders from here on."""
        if not self.draining:
            log.info("DRAINING: no new orders are taken")
        self.draining = True

    async def finished(self, running_count: Callable[[], int], deadline_s: float) -> bool:
        """Wait until nothing is in flight; say whether the deadline held."""
        try:
            async with asyncio.timeout(deadline_s):
                while running_count():  # noqa: ASYNC110 - a count is polled so that no order pays for an event
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            log.warning("DRAIN_DEADLINE: in_flight=%d; the next start resolves them as unknown", running_count())
            return False
        return True
