"""How the stack does: a live table on a terminal, a line for each change anywhere else."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deployments.live_status import OVERDUE_S
from deployments.views.terminal import line
from deployments.views.words import safe, say_lines

Show = Callable[[dict[str, Any]], None]
GOOD = {"ok", "healthy", "running"}


@contextmanager
def status_view() -> Iterator[Show]:
    """Show each status given to the value this yields."""
    console = Console()
    if not console.is_terminal:
        yield _changes_only()
        return
    with Live(Text("Looking …"), console=console, auto_refresh=False) as live:
        yield lambda status: live.update(status_table(status), refresh=True)


def _changes_only() -> Show:
    said: list[str] = []

    def show(status: dict[str, Any]) -> None:
        lines = status_lines(status)
        say_lines(one for one in lines if one not in said)
        said[:] = lines

    return show


def status_table(status: dict[str, Any]) -> RenderableType:
    """Draw the status as a table."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("part", "pid", "health", "release", "address"):
        table.add_column(title)
    for row in part_rows(status):
        health = Text(safe(row[2]), "green" if row[2] in GOOD else "red")
        table.add_row(line(row[0]), line(row[1]), health, line(row[3]), line(row[4]))
    held = (Text(safe(one), "bold red") for one in held_lines(status))
    told = (Text(safe(one)) for one in triage_lines(status))
    return Group(*held, table, Text(), *told, Text("Ctrl-C stops everything.", "dim"))


def status_lines(status: dict[str, Any]) -> list[str]:
    """Write the status as plain lines."""
    rows = [f"{row[0]:15} pid {row[1]:8} {row[2]:9} {row[3]:8} {row[4]}".rstrip() for row in part_rows(status)]
    return [safe(one) for one in (*held_lines(status), *rows, *triage_lines(status))]


def held_lines(status: dict[str, Any]) -> list[str]:
    """Say first what holds trading back, of each service; nothing where nothing does."""
    services = {name: one for name, one in status["services"].items() if one}
    held = {name: one.get("in_force_words", "") for name, one in services.items()}
    return [f"{name}: {words}" for name, words in held.items() if words]


def part_rows(status: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Give name, pid, health, release and address of every part."""
    prefect, worker = status["prefect"], status["worker"]
    parts = {
        "prefect-server": {**prefect, "base_url": prefect["ui_url"]},
        "worker": {**worker, "health": "running" if worker["pid"] else "gone"},
        "monitoring": status["monitoring"],
        **status["services"],
        **status["gateways"],
    }
    return [
        (
            name,
            str(one["pid"] or "-"),
            "NOT OURS" if one.get("held_by") else one.get("health") or "no answer",
            one.get("release") or "",
            f"{one.get('base_url') or ''}{_holder(one)}",
        )
        for name, one in parts.items()
    ]


def _holder(one: dict[str, Any]) -> str:
    return f", its port is held by {one['held_by']}" if one.get("held_by") else ""


def triage_lines(status: dict[str, Any]) -> list[str]:
    """Tell of the last and the next triage, the open incidents and the mode."""
    last = status["triage"]["last"]
    told = f"{last['finished_at'][:19]}Z  {last['summary'] or last['state']}" if last else "none finished yet"
    if not status["triage"].get("known", True):
        told = "unknown: Prefect cannot be asked; `runbook check` looks at the service without it"
    elif status["triage"]["overdue"]:
        told = f"OVERDUE: none finished for over {OVERDUE_S:.0f} s; nobody looks at the service. {told}"
    unscheduled = "none scheduled" if status["triage"].get("known", True) else "unknown"
    next_at = (status["triage"]["next_at"] or unscheduled)[:19]
    return [
        f"last triage     {told}",
        f"next triage     {next_at}",
        f"open incidents  {_incidents(status)}",
        f"mode            {status['mode'] or 'unknown'}",
        f"database        {(status.get('prefect') or {}).get('database') or 'unknown'}",
        *(approval_line(one) for one in status.get("approvals", [])),
    ]


def _incidents(status: dict[str, Any]) -> str:
    unread = [f"unknown, {fault}" for fault in status.get("ledger_faults", [])]
    return ", ".join((*status["open_incidents"], *unread)) or "none"


def approval_line(one: dict[str, Any]) -> str:
    """Tell of one plan that waits for a person, until when, and how to answer it."""
    what, ids = ", ".join(one["actions"]), shlex.join(one["incident_ids"])
    until = f"until {one['expires_at'][:19]}Z"
    return f"waits for you   {what}, {until}; answer with `runbook approve {ids}` or `runbook reject {ids}`"
