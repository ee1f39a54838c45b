"""How the stack is: a live table on a terminal, a line for each change anywhere else."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deployments.stack.live_status import OVERDUE_S
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
    with Live(Text("Checking …"), console=console, auto_refresh=False) as live:
        yield lambda status: live.update(status_table(status), refresh=True)


def _changes_only() -> Show:
    said: list[str] = []

    def show(status: dict[str, Any]) -> None:
        lines = status_lines(status)
        say_lines(one for one in lines if one not in said)
        said[:] = lines

    return show


def status_table(status: dict[str, Any]) -> RenderableType:
    table = Table("part", "pid", "health", "release", "address", box=None, padding=(0, 2), header_style="dim")
    for name, pid, health, release, address in _part_rows(status):
        colored = Text(safe(health), "green" if health in GOOD else "red")
        table.add_row(line(name), line(pid), colored, line(release), line(address))
    held = (Text(safe(one), "bold red") for one in _held_lines(status))
    rows = (Text(safe(one)) for one in triage_lines(status))
    return Group(*held, table, Text(), *rows, Text("Ctrl-C stops everything.", "dim"))


def status_lines(status: dict[str, Any]) -> list[str]:
    rows = [f"{row[0]:15} pid {row[1]:8} {row[2]:9} {row[3]:8} {row[4]}".rstrip() for row in _part_rows(status)]
    return [safe(one) for one in (*_held_lines(status), *rows, *triage_lines(status))]


def _held_lines(status: dict[str, Any]) -> list[str]:
    """Say first what holds trading back, of each service; nothing where nothing does."""
    held = {name: one.get("in_force_words", "") for name, one in status["services"].items() if one}
    return [f"{name}: {words}" for name, words in held.items() if words]


def _part_rows(status: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Give name, pid, health, release and address of every part."""
    prefect, worker = status["prefect"], status["worker"]
    parts = {
        "prefect-server": {**prefect, "base_url": prefect["ui_url"]},
        "worker": {**worker, "health": "running" if worker["pid"] else "gone"},
        "monitoring": status["monitoring"],
        **status["services"],
        **status["gateways"],
    }
    return [(name, *_part(one)) for name, one in parts.items()]


def _part(one: dict[str, Any]) -> tuple[str, str, str, str]:
    holder = one.get("held_by")
    health = "NOT OURS" if holder else one.get("health") or "no answer"
    address = f"{one.get('base_url') or ''}{f', its port is held by {holder}' if holder else ''}"
    return str(one["pid"] or "-"), health, one.get("release") or "", address


def triage_lines(status: dict[str, Any]) -> list[str]:
    """Report the last and the next triage, the open incidents, the mode, and the plans that wait."""
    triage, unread = status["triage"], [f"unknown, {fault}" for fault in status.get("ledger_faults", [])]
    last, is_known = triage["last"], triage.get("known", True)
    words = f"{last['finished_at'][:19]}Z  {last['summary'] or last['state']}" if last else "none finished yet"
    if not is_known:
        words = "unknown: Prefect cannot be asked; `runbook check` checks the service without it"
    elif triage["overdue"]:
        words = f"OVERDUE: none finished for over {OVERDUE_S:.0f} s; nothing checks the service. {words}"
    updates = {name: f" (next update by {at[11:19]}Z)" for name, at in status.get("next_updates", {}).items()}
    open_ = [f"{name}{updates.get(name, '')}" for name in status["open_incidents"]]
    return [
        f"last triage     {words}",
        f"next triage     {(triage['next_at'] or ('none scheduled' if is_known else 'unknown'))[:19]}",
        f"open incidents  {', '.join((*open_, *unread)) or 'none'}",
        f"mode            {status['mode'] or 'unknown'}",
        f"database        {(status.get('prefect') or {}).get('database') or 'unknown'}",
        *map(_approval_line, status.get("approvals", [])),
    ]


def _approval_line(one: dict[str, Any]) -> str:
    """Name one plan that waits for a person, until when, and how to answer it."""
    what, ids = ", ".join(one["actions"]), shlex.join(one["incident_ids"])
    until = f"until {one['expires_at'][:19]}Z"
    return f"waits for you   {what}, {until}; answer with `runbook approve {ids}` or `runbook reject {ids}`"
