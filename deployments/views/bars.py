"""How far something has come: one line with a bar, on stderr and on a terminal only; stdout stays what was asked."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from deployments.views.terminal import line
from tasks.model.reports.progress import Progress
from tasks.rules.reports.progress import progress_words

# What ends sooner needs no bar, and one that flashes up is noise.
QUIET_S = 0.5
WIDTH_COUNT = 30
REFRESH_PER_S = 8.0


class Bar:
    """One line at the foot of a terminal, gone when it is over; without a terminal nothing is shown."""

    def __init__(self, console: Console | None = None) -> None:
        self.is_shown = console is not None
        self._begins_s = time.monotonic() + QUIET_S
        self._words: str = ""
        self._ratio: float | None = None
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
        """Show words, and how much of the whole is done, None where nobody knows; a thread of its own draws it."""
        self._words, self._ratio = words, ratio
        if self.is_shown and not self._live.is_started and time.monotonic() >= self._begins_s:
            self._live.start(refresh=True)

    def hidden(self, say: Callable[[], None]) -> None:
        """Say something on stdout while no bar is in the way; the next report brings it back."""
        self.end()
        say()

    def end(self) -> None:
        """Take the bar away."""
        self._live.stop()

    def _row(self) -> RenderableType:
        total = None if self._ratio is None else 1.0
        row = Table.grid(padding=(0, 2))
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True)
        row.add_row(
            ProgressBar(total=total, completed=self._ratio or 0.0, width=WIDTH_COUNT), line((self._words, "dim"))
        )
        return row


NO_BAR = Bar()


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """Give what shows progress until the block ends; without a terminal on stderr it shows nothing."""
    console = Console(file=sys.stderr, color_system=None if os.environ.get("NO_COLOR") else "auto")
    bar = Bar(console if sys.stderr.isatty() and not console.is_dumb_terminal else None)
    try:
        yield bar
    finally:
        bar.end()
