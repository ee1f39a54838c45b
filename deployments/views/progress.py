"""How a start goes: a live table on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from deployments.local_stack import PART_NAMES, UI, Report, addresses
from deployments.parts import BUTTONS
from deployments.prefect_sign_in import sign_in_link
from deployments.stack_file import StackRecord
from deployments.views.terminal import line
from deployments.views.words import say


@contextmanager
def progress_view(missing: frozenset[str]) -> Iterator[Report]:
    """Show the start while it goes on; the value to call is told of every part."""
    console = Console()
    if not console.is_terminal:
        yield _plain_report()
        return
    view = ProgressTable(missing)
    with Live(view, console=console, refresh_per_second=8, transient=True):
        yield view.report


def _plain_report() -> Report:
    began = time.monotonic()

    def report(part: str, stage: str) -> None:
        if stage != "starting":
            say(f"{time.monotonic() - began:5.1f} s  {part}: {stage}")

    return report


class ProgressTable:
    """One row a part: waiting, starting, up."""

    def __init__(self, missing: frozenset[str]) -> None:
        self._began = time.monotonic()
        self._stages = {part: "waiting" for part in (*PART_NAMES, BUTTONS) if part in missing}
        self._spinner = Spinner("dots")

    def report(self, part: str, stage: str) -> None:
        """Take in what is told of a part."""
        elapsed_s = time.monotonic() - self._began
        self._stages[part] = f"up after {elapsed_s:.1f} s" if stage == "up" else stage

    def __rich__(self) -> RenderableType:
        """Draw the table as it is now."""
        table = Table.grid(padding=(0, 2))
        for part, stage in self._stages.items():
            mark = Text("up", "green") if stage.startswith("up") else self._spinner
            table.add_row(mark, line(part), line((stage, "dim")))
        return Group(Text(f"Starting, {time.monotonic() - self._began:.0f} s", "bold"), table)


def say_started(stack: StackRecord, login: SecretStr | None) -> None:
    """Name every address once all is up."""
    _say_addresses("The stack is up; the first triage is on its way.", stack, login)


def say_running(stack: StackRecord, login: SecretStr | None) -> None:
    """Say that there is nothing to start."""
    _say_addresses("The stack runs already; nothing was started.", stack, login)


def _say_addresses(headline: str, stack: StackRecord, login: SecretStr | None) -> None:
    known = addresses(stack.ports)
    say(headline)
    for name, address in known.items():
        say(f"  {name:14} {address}")
    if login is not None:
        say("The Prefect UI asks for a login. This link opens it signed in; keep it to yourself:")
        say(f"  {sign_in_link(known[UI], login)}")
