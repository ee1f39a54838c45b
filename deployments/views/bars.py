"""How far something has come: one line with a bar, on stderr and on a terminal only; stdout stays what was asked."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from deployments.views.terminal import line
from tasks.model.progress import Progress
from tasks.rules.progress_words import progress_words

# What ends sooner needs no bar, and one that flashes up is noise.
QUIET_S = 0.5
WIDTH_COUNT = 30
REFRESH_PER_S = 8.0


class Bar(Protocol):
    """What shows how far something has come; `is_shown` where somebody can see it."""

    is_shown: bool

    def report(self, progress: Progress) -> None:
        """Show the progress of a step of our own."""

    def show(self, words: str, ratio: float | None) -> None:
        """Show words, and how much of the whole is done; None where nobody knows."""

    def hidden(self, say: Callable[[], None]) -> None:
        """Say something on stdout while no bar is in the way."""


class NoBar:
    """What is shown where nobody looks: nothing."""

    is_shown = False

    def report(self, progress: Progress) -> None:
        """Show nothing."""

    def show(self, words: str, ratio: float | None) -> None:
        """Show nothing."""

    def hidden(self, say: Callable[[], None]) -> None:
        """Say it."""
        say()


NO_BAR = NoBar()


class LineBar:
    """One line at the foot of a terminal, gone when it is over."""

    is_shown = True

    def __init__(self, console: Console) -> None:
        self._begins_s = time.monotonic() + QUIET_S
        self._words, self._ratio = "", 0.0
        self._known = False
        self._live = Live(
            console=console,
            get_renderable=self._row,
            refresh_per_second=REFRESH_PER_S,
            transient=True,
            # Redirected, what stdout says would end up on stderr.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def report(self, progress: Progress) -> None:
        """Show the progress of a step of our own."""
        self.show(progress_words(progress), progress.ratio)

    def show(self, words: str, ratio: float | None) -> None:
        """Take in what is to be shown; it is drawn by a thread of its own."""
        self._words, self._ratio, self._known = words, ratio or 0.0, ratio is not None
        if not self._live.is_started and time.monotonic() >= self._begins_s:
            self._live.start(refresh=True)

    def hidden(self, say: Callable[[], None]) -> None:
        """Take the bar away, say it, and let the next report bring the bar back."""
        self.end()
        say()

    def end(self) -> None:
        """Take the bar away."""
        self._live.stop()

    def _row(self) -> RenderableType:
        row = Table.grid(padding=(0, 2))
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True)
        bar = ProgressBar(total=1.0 if self._known else None, completed=self._ratio, width=WIDTH_COUNT)
        row.add_row(bar, line((self._words, "dim")))
        return row


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """Give what shows progress until the block ends; without a terminal on stderr it shows nothing."""
    console = Console(file=sys.stderr, color_system=None if os.environ.get("NO_COLOR") else "auto")
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield NO_BAR
        return
    bar = LineBar(console)
    try:
        yield bar
    finally:
        bar.end()
