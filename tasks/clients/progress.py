"""Show how far a long step has come as an artifact of its run, beside the work: telling never holds up healing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Protocol

from tasks.clients.artifacts import ProgressArtifact
from tasks.model.progress import Progress, Report
from tasks.rules.progress_words import ended_words, progress_words


class Pace(NamedTuple):
    """When it is told: a step of less than `quiet_s` never, a longer one every `every_s` at most. Units: seconds."""

    quiet_s: float = 2.0
    every_s: float = 1.0
    # A wait of minutes is told ever less often: each telling is a write to Prefect's database.
    part_of_elapsed: float = 0.05


class Shown(Protocol):
    """Where it is shown."""

    async def show(self, ratio: float, words: str) -> None:
        """Show it, or show it anew. Errors: none that matter; what could not be shown is shown the next time."""

    async def close(self) -> None:
        """Let go of what showing needed."""


PACE = Pace()
_UNDER_WAY: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def shown_progress(key: str, shown: Shown | None = None, pace: Pace = PACE) -> AsyncIterator[Report]:
    """Give the step what it reports to, from whichever thread; it is told by a task of its own, which nobody waits for.

    Errors: none but the step's own. A Prefect that is away or slow costs the artifact, and no time.
    """
    telling = _Telling(shown or ProgressArtifact(key), pace)
    task = asyncio.create_task(telling.tell())
    _UNDER_WAY.add(task)
    task.add_done_callback(_forget)
    try:
        yield telling.report
    except BaseException:
        telling.end(well=False)
        raise
    telling.end(well=True)


def _forget(task: asyncio.Task[None]) -> None:
    _UNDER_WAY.discard(task)
    # Whatever broke in telling: the step goes on, and Python shall not complain of an error that nobody asked for.
    if not task.cancelled():
        task.exception()


class _Telling:
    """The last that was reported, and what was told of it."""

    def __init__(self, shown: Shown, pace: Pace) -> None:
        self._shown = shown
        self._pace = pace
        self._began_s = time.monotonic()
        self._last: tuple[Progress, float] | None = None
        self._told: tuple[float, str] | None = None
        self._over = asyncio.Event()
        self._well = False

    def report(self, progress: Progress) -> None:
        """Keep what the step says last; an assignment, so that it costs the step nothing."""
        self._last = (progress, time.monotonic())

    def end(self, *, well: bool) -> None:
        """Say that the step is over."""
        self._well = well
        self._over.set()

    async def tell(self) -> None:
        """Tell the progress until the step is over, and its end at once."""
        if await self._is_over_within(self._pace.quiet_s):
            return
        try:
            while not await self._is_over_within(0):
                await self._tell_now()
                await self._is_over_within(self._pause_s())
            await self._tell_end()
        finally:
            await self._shown.close()

    async def _is_over_within(self, wait_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._over.wait()
        return self._over.is_set()

    def _pause_s(self) -> float:
        return max(self._pace.every_s, self._elapsed_s() * self._pace.part_of_elapsed)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    async def _tell_now(self) -> None:
        if self._last is None:
            return
        progress, at_s = self._last
        now = progress.after(time.monotonic() - at_s)
        await self._show(now.ratio or 0.0, progress_words(now))

    async def _tell_end(self) -> None:
        """Tell the end of what was begun to be told; a step that failed keeps how far it had come."""
        if self._last is None or self._told is None:
            return
        ratio = 1.0 if self._well else self._told[0]
        await self._show(ratio, ended_words(self._last[0], self._elapsed_s(), well=self._well))

    async def _show(self, ratio: float, words: str) -> None:
        if (ratio, words) != self._told:
            self._told = (ratio, words)
            await self._shown.show(ratio, words)
