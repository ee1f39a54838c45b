"""Say whether a maintenance window is open, from the ledger alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.incident import LedgerRecord, Source
from tasks.model.maintenance import ENDED_TYPE, LONGEST_S, STARTED_TYPE, Maintenance
from tasks.model.messages import Message
from tasks.rules.action_history import CLOCK_SLACK
from tasks.rules.json_values import text_of
from tasks.rules.message_keys import CLOSED, RECOVERED, about_of
from tasks.rules.times import parse_time


def maintenance_at(records: Iterable[LedgerRecord], service: str, now: datetime) -> Maintenance | None:
    """Find the window of a service that is open now; the last word of a person in the file decides.

    Errors: none. A word of nobody but an operator counts; a start from the future, or one without an end, is none,
    and no window is open for longer than a day, whatever its line says.
    """
    windows = _windows(records, service, now)
    return windows[-1] if windows and now < windows[-1].until else None


def maintenance_ended_at(records: Iterable[LedgerRecord], service: str, now: datetime) -> datetime | None:
    """Find when a window of a service was last over: what waited during it waits from there.

    Errors: none.
    """
    return max((one.until for one in _windows(records, service, now) if one.until <= now), default=None)


def told_in_maintenance(messages: tuple[Message, ...], window: Maintenance | None) -> tuple[Message, ...]:
    """Keep, while a window is open, only what tells of a recovery: that is never held back.

    Runbook: §3 Escalation matrix.
    """
    over = {CLOSED, RECOVERED}
    return tuple(one for one in messages if window is None or about_of(one.key, one.incident_id) in over)


def _windows(records: Iterable[LedgerRecord], service: str, now: datetime) -> list[Maintenance]:
    """Read the windows in the order of the file; each ends where the next word of a person ends or replaces it."""
    windows: list[Maintenance] = []
    for record in records:
        if record.service != service or record.source != Source.OPERATOR:
            continue
        started = _window(record, now) if record.type == STARTED_TYPE else None
        if windows and (started or record.type == ENDED_TYPE):
            ended_at = min(windows[-1].until, max(record.timestamp, windows[-1].started_at), now)
            windows[-1] = windows[-1].model_copy(update={"until": ended_at})
        windows += [started] if started else []
    return windows


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
