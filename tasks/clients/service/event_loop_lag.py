"""How long we ourselves stood still while we waited for an answer: without a core, or busy with something else.

A monitor that is held up hears nobody. What it did not hear says nothing of the service (safety rule 2).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

BEAT_S = 0.05
# What a beat may be late on a machine that is merely busy.
USUAL_S = 0.05


class EventLoopLag:
    """Beats on the event loop, and the sum of what they came late. Units: `seconds_s`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sum_s = 0.0
        self._expect()

    @property
    def seconds_s(self) -> float:
        """Say for how long the loop stood still until now."""
        return self._sum_s + self._late_s()

    def end(self) -> None:
        """Beat no more."""
        self._next.cancel()

    def _expect(self) -> None:
        self._due_at = self._loop.time() + BEAT_S
        self._next = self._loop.call_at(self._due_at, self._beat)

    def _beat(self) -> None:
        self._sum_s += self._late_s()
        self._expect()

    def _late_s(self) -> float:
        late_s = self._loop.time() - self._due_at
        return late_s if late_s > USUAL_S else 0.0


@contextmanager
def event_loop_lag() -> Iterator[EventLoopLag]:
    """Measure our own delay for as long as the block takes, on the running loop."""
    delay = EventLoopLag(asyncio.get_running_loop())
    try:
        yield delay
    finally:
        delay.end()
