"""Say whether a maintenance window is open, from the ledger and from the work that is planned."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tasks.model.incidents.incident import IncidentState, LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, LONGEST_S, STARTED_TYPE, Maintenance
from tasks.model.incidents.planned_work import PlannedWork
from tasks.model.messages.messages import Message
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.time import parse_time
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tasks.rules.incidents.message_keys import CLOSED, RECOVERED, about_of
from tasks.rules.incidents.planned_windows import is_planned, windows_between

MOMENT = timedelta(microseconds=1)


Planned = Iterable[PlannedWork]


def maintenance_at(
    records: Iterable[LedgerRecord], service: str, now: datetime, planned: Planned = ()
) -> Maintenance | None:
    """Find the window of a whole service that is open now: a person's, by their last word, else a planned one.

    Errors: none. A word of nobody but an operator counts; a start from the future, or one without an end, is none,
    and no window is open for longer than a day, whatever its line says.
    """
    known = tuple(records)
    windows = _windows(known, service, now)
    if windows and now < windows[-1].until:
        return windows[-1]
    return next((one for one in planned_at(known, service, now, planned) if not one.concerns), None)


def planned_at(
    records: Iterable[LedgerRecord], service: str, now: datetime, planned: Planned
) -> tuple[Maintenance, ...]:
    """Find the planned windows that are open now; a person's word ends those that are open when it is said."""
    return tuple(one for one in _planned(records, service, now, planned) if one.until > now)


def maintenance_ended_at(
    records: Iterable[LedgerRecord], service: str, now: datetime, planned: Planned = ()
) -> datetime | None:
    """Find when a window of a whole service was last over: what waited during it waits from there.

    Errors: none.
    """
    known = tuple(records)
    over = (one for one in _planned(known, service, now, planned) if not one.concerns)
    return max((one.until for one in (*_windows(known, service, now), *over) if one.until <= now), default=None)


def planned_ended_at(
    incident: IncidentState, records: Iterable[LedgerRecord], now: datetime, planned: Planned
) -> datetime | None:
    """Find when planned work on what an incident is about was last over; none where there was none in a day.

    Errors: none.
    """
    over = (one for one in _planned(records, incident.service, now, planned) if one.until <= now)
    return max((one.until for one in over if is_planned(incident, (one,))), default=None)


def _planned(records: Iterable[LedgerRecord], service: str, now: datetime, planned: Planned) -> Iterator[Maintenance]:
    """Give the planned windows of the day before, and those that are open, each until a person ended it."""
    works = tuple(planned)
    if not works:
        return
    ends = [one.timestamp for one in _said(records, service) if one.type == ENDED_TYPE and one.timestamp <= now]
    for window in windows_between(works, now - timedelta(seconds=LONGEST_S), now + MOMENT):
        if window.started_at <= now:
            ended = (at for at in ends if window.started_at <= at < window.until)
            yield window.model_copy(update={"until": min(ended, default=window.until)})


def told_in_maintenance(messages: tuple[Message, ...], window: Maintenance | None) -> tuple[Message, ...]:
    """Keep, while a window is open, only what reports a recovery: that is never held back.

    Runbook: §3 Escalation matrix.
    """
    over = {CLOSED, RECOVERED}
    return tuple(one for one in messages if window is None or about_of(one.key, one.incident_id) in over)


def _windows(records: Iterable[LedgerRecord], service: str, now: datetime) -> list[Maintenance]:
    """Read the windows in the order of the file; each ends where the next word of a person ends or replaces it."""
    windows: list[Maintenance] = []
    for record in _said(records, service):
        started = _window(record, now) if record.type == STARTED_TYPE else None
        if windows and (started or record.type == ENDED_TYPE):
            ended_at = min(windows[-1].until, max(record.timestamp, windows[-1].started_at), now)
            windows[-1] = windows[-1].model_copy(update={"until": ended_at})
        windows += [started] if started else []
    return windows


def _said(records: Iterable[LedgerRecord], service: str) -> Iterator[LedgerRecord]:
    return (one for one in records if one.service == service and one.source == Source.OPERATOR)


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
