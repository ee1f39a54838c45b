"""How a start goes: a live table on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from deployments.stack.local_stack import PART_NAMES, Report
from deployments.stack.parts import BUTTONS
from deployments.views.terminal import line
from deployments.views.words import say


@contextmanager
def progress_view(missing: frozenset[str]) -> Iterator[Report]:
    """Show the start while it goes on; the value to call receives each stage of each part."""
    console = Console()
    view = ProgressTable(missing)
    if not console.is_terminal:
        yield view.say_stage
        return
    with Live(view, console=console, refresh_per_second=8, transient=True):
        yield view.report


class ProgressTable:
    """One row a part: waiting, starting, up."""

    def __init__(self, missing: frozenset[str]) -> None:
        self._began = time.monotonic()
        self._stages = {part: "waiting" for part in (*PART_NAMES, BUTTONS) if part in missing}
        self._spinner = Spinner("dots")

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def report(self, part: str, stage: str) -> None:
        self._stages[part] = f"up after {self._elapsed_s:.1f} s" if stage == "up" else stage

    def say_stage(self, part: str, stage: str) -> None:
        """Print the stage of a part as a line."""
        if stage != "starting":
            say(f"{self._elapsed_s:5.1f} s  {part}: {stage}")

    def __rich__(self) -> RenderableType:
        """Draw the table as it is now."""
        table = Table.grid(padding=(0, 2))
        for part, stage in self._stages.items():
            mark = Text("up", "green") if stage.startswith("up") else self._spinner
            table.add_row(mark, line(part), line((stage, "dim")))
        return Group(Text(f"Starting, {self._elapsed_s:.0f} s", "bold"), table)
