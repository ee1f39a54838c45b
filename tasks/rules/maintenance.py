"""Say whether a maintenance window is open, from the ledger alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.incident import LedgerRecord, Source
from tasks.model.maintenance import ENDED_TYPE, LONGEST_S, STARTED_TYPE, Maintenance
from tasks.rules.action_history import CLOCK_SLACK
from tasks.rules.json_values import text_of
from tasks.rules.times import parse_time


def maintenance_at(records: Iterable[LedgerRecord], service: str, now: datetime) -> Maintenance | None:
    """Find the window of a service that is open now; the last word of a person in the file decides.

    Errors: none. A word of nobody but an operator counts; a start from the future, or one without an end, is none,
    and no window is open for longer than a day, whatever its line says.
    """
    window: Maintenance | None = None
    for record in records:
        if record.service != service or record.source != Source.OPERATOR:
            continue
        if record.type == ENDED_TYPE:
            window = None
        elif record.type == STARTED_TYPE:
            window = _window(record, now) or window
    return window if window and now < window.until else None


def _window(record: LedgerRecord, now: datetime) -> Maintenance | None:
    until = parse_time(record.details.get("until"))
    if until is None or record.timestamp > now + CLOCK_SLACK:
        return None
    started_at = min(record.timestamp, now)
    return Maintenance(
        started_at=started_at,
        until=min(until, started_at + timedelta(seconds=LONGEST_S)),
        reason=text_of(record.details, "reason", 500) or "",
        by=text_of(record.details, "by", 200) or "a person",
    )
