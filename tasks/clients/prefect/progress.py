"""Show how far a long step has come as a progress artifact of its run; beside the work, so that it holds nothing up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Protocol

from tasks.clients.prefect.artifacts import ProgressArtifact
from tasks.model.reports.progress import Progress, Report
from tasks.rules.reports.progress import ended_words, progress_words


class Pace(NamedTuple):
    """A step of less than `quiet_s` shows nothing, a longer one is updated every `every_s` at most. Units: seconds."""

    quiet_s: float = 2.0
    every_s: float = 1.0
    # A wait of minutes is updated ever less often: each update is a write to Prefect's database.
    part_of_elapsed: float = 0.05


class Shown(Protocol):
    async def show(self, ratio: float, words: str) -> None:
        """Show it in place of what was shown before. Errors: none; the next update shows what is missing."""

    async def close(self) -> None: ...


PACE = Pace()
_RUNNING: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def shown_progress(key: str, shown: Shown | None = None, pace: Pace | None = None) -> AsyncIterator[Report]:
    """Give the step what it reports to, from any thread; a task of its own shows it, and nobody waits for that.

    Errors: none but the step's own. A Prefect server that is away or slow costs the artifact, and no time.
    """
    reporter = _Reporter(shown or ProgressArtifact(key), pace or PACE)
    task = asyncio.create_task(reporter.run())
    _RUNNING.add(task)
    task.add_done_callback(_forget)
    try:
        yield reporter.report
        reporter.is_completed = True
    finally:
        reporter.over.set()


def _forget(task: asyncio.Task[None]) -> None:
    _RUNNING.discard(task)
    # Whatever broke in showing: the step goes on, and Python must not complain of an error that nobody asked for.
    if not task.cancelled():
        task.exception()


class _Reporter:
    """The last report, and what was shown of it."""

    def __init__(self, shown: Shown, pace: Pace) -> None:
        self.over = asyncio.Event()
        self.is_completed = False
        self._shown = shown
        self._pace = pace
        self._began_s = time.monotonic()
        self._last: tuple[Progress, float] | None = None
        self._written: tuple[float, str] | None = None

    def report(self, progress: Progress) -> None:
        """Keep the last report; an assignment, so that it costs the step nothing."""
        self._last = (progress, time.monotonic())

    async def run(self) -> None:
        """Show the progress until the step is over, and its end at once."""
        await self._over_within(self._pace.quiet_s)
        if self.over.is_set():
            return
        try:
            while not self.over.is_set():
                await self._show_now()
                elapsed_s = time.monotonic() - self._began_s
                await self._over_within(max(self._pace.every_s, elapsed_s * self._pace.part_of_elapsed))
            await self._show_end()
        finally:
            await self._shown.close()

    async def _over_within(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.over.wait()

    async def _show_now(self) -> None:
        if self._last is not None:
            progress, at_s = self._last
            now = progress.after(time.monotonic() - at_s)
            await self._show(now.ratio or 0.0, progress_words(now))

    async def _show_end(self) -> None:
        """Show the end of what was shown before; a step that failed keeps how far it had come."""
        if self._last is not None and self._written is not None:
            ratio = 1.0 if self.is_completed else self._written[0]
            took_s = time.monotonic() - self._began_s
            await self._show(ratio, ended_words(self._last[0], took_s, completed=self.is_completed))

    async def _show(self, ratio: float, words: str) -> None:
        if (ratio, words) != self._written:
            self._written = (ratio, words)
            await self._shown.show(ratio, words)
