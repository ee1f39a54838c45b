"""What an incident ledger holds, for programs and for a person."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.incident import IncidentState, Ledger, LedgerRecord
from tasks.rules.incident_state import fold_incidents
from tasks.rules.times import utc_text

SKIPPED_SHOWN_COUNT = 10
SHOWN_COUNT = 50
RECORD_KEYS = ("line", "timestamp", "type", "service", "incident_id", "event", "source", "summary", "details")
STATE_KEYS = {"incident_id", "service", "state", "opened_at", "closed_at", "causes", "tier", "acknowledged_by"}


def incident_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Lay out what the ledger tells, oldest line first: each incident once, and each record that belongs to none.

    Every row has `line`, `timestamp` and `type`: those of the record, or of the one that opened the incident.
    """
    groups: dict[str, list[LedgerRecord]] = {}
    for record in ledger.records:
        groups.setdefault(record.incident_id or "", []).append(record)
    alone = [_record(record) for record in groups.pop("", [])]
    told = [row for group in groups.values() for row in _incident(group)]
    return sorted([*alone, *told], key=lambda row: int(row["line"]))


def incident_lines(title: str, ledger: Ledger, rows: list[dict[str, Any]]) -> list[Text]:
    """Tell how much could be read, then the newest incidents and records, then what was skipped and why."""
    running = sum(1 for row in rows if row.get("state") and not row["closed_at"])
    skipped = (f", {len(ledger.skipped)} skipped", UNSURE) if ledger.skipped else ", none skipped"
    counted = f"{len(ledger.records)} records read"
    head = line((f"{title}: ", BOLD), counted, skipped, ", ", (f"{running} open", BAD if running else GOOD))
    older = [line((f"  {len(rows) - SHOWN_COUNT} older ones are left out; --json has all", DIM))]
    return [
        head,
        *(older if len(rows) > SHOWN_COUNT else []),
        *(_row_line(row) for row in rows[-SHOWN_COUNT:]),
        *_skipped_lines(ledger),
    ]


def _record(record: LedgerRecord) -> dict[str, Any]:
    return {key: getattr(record, key) for key in RECORD_KEYS} | {"timestamp": utc_text(record.timestamp)}


def _incident(group: list[LedgerRecord]) -> list[dict[str, Any]]:
    """Fold one incident; records whose opening is not in this file are told one by one."""
    opened = next((record for record in group if record.event == "opened"), None)
    if opened is None:
        return [_record(record) for record in group]
    states = fold_incidents(group, opened.service or "")
    return [_state(state, opened, group) for state in states] or [_record(record) for record in group]


def _state(state: IncidentState, opened: LedgerRecord, group: list[LedgerRecord]) -> dict[str, Any]:
    return {
        "line": opened.line,
        "last_line": group[-1].line,
        "timestamp": utc_text(opened.timestamp),
        "type": opened.type,
        "summary": opened.summary,
        "records": len(group),
        **state.model_dump(mode="json", include=STATE_KEYS),
        "actions": [one.model_dump(mode="json", exclude={"owner_pid"}) for one in state.actions],
        "messages": state.messages,
    }


def _row_line(row: dict[str, Any]) -> Text:
    at, kind = f"  line {row['line']:<6} {row['timestamp']}  ", f"{row['type']}  "
    if "state" not in row:
        return line(at, kind, (str(row["summary"]), DIM))
    ended = (f"closed {row['closed_at'][:19]}Z", GOOD) if row["closed_at"] else (f"OPEN, {row['state']}", BAD)
    causes = ", ".join(row["causes"])
    return line(at, kind, (f"{row['incident_id']}  ", BOLD), ended, f"  {causes}", (f"  {row['records']} records", DIM))


def _skipped_lines(ledger: Ledger) -> Iterable[Text]:
    for one in islice(ledger.skipped, SKIPPED_SHOWN_COUNT):
        yield line("  ", (f"skipped line {one.line}", UNSURE), f"  {one.reason}")
    left = len(ledger.skipped) - SKIPPED_SHOWN_COUNT
    if left > 0:
        yield line((f"  and {left} more skipped lines", DIM))
