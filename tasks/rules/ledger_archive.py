"""Choose the lines of a ledger that nobody decides by any more: they go into the archive, word for word."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tasks.model.incident import Event, IncidentState, Ledger, LedgerRecord
from tasks.model.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.rules.action_history import APPROVAL_TYPE, CLOCK_SLACK, is_rearm
from tasks.rules.incident_changes import half_done
from tasks.rules.ledger_fold import folded

_STAY = frozenset({STARTED_TYPE, ENDED_TYPE})
_ACTIONS = frozenset({Event.ACTION_STARTED, Event.ACTION_FINISHED})


def archived_lines(records: Sequence[LedgerRecord], line_count: int, before: datetime, now: datetime) -> frozenset[int]:
    """Choose the lines, by their numbers, that are older than `before` and of incidents that are over.

    Errors: none. The order of the file decides how old a line is, not its own clock alone: one that was written lately
    with a time of last year stays. What stays whatever its age: an incident that is open, in which an action was begun
    whose end is not known, or that anything was written of since; a person's re-arm and maintenance windows; an action
    or an answer of no incident. A line that could not be read goes with its neighbors.
    """
    by_line = {record.line: record for record in records}
    old = _old_lines(by_line, line_count, before, now)
    fold = folded(Ledger(records=tuple(records)), line_count, now)
    states = [one for known in fold.incidents.values() for one in known]
    known = {one.incident_id for one in states}
    stay = {one.incident_id for one in states if not _is_over(one, before)}
    stay |= {record.incident_id or "" for line, record in by_line.items() if line not in old}
    return frozenset(line for line in old if line not in by_line or _may_go(by_line[line], known, stay))


def _old_lines(by_line: dict[int, LedgerRecord], line_count: int, before: datetime, now: datetime) -> set[int]:
    latest = datetime.min.replace(tzinfo=UTC)
    old: set[int] = set()
    for line in range(1, line_count + 1):
        record = by_line.get(line)
        if record is not None and record.timestamp <= now + CLOCK_SLACK:
            latest = max(latest, record.timestamp)
        if latest >= before:
            break
        if record is None or record.timestamp < before:
            old.add(line)
    return old


def _is_over(incident: IncidentState, before: datetime) -> bool:
    return incident.closed_at is not None and incident.closed_at < before and not half_done(incident)


def _may_go(record: LedgerRecord, known: set[str], stay: set[str]) -> bool:
    if is_rearm(record) or record.type in _STAY:
        return False
    if record.event in _ACTIONS or record.type == APPROVAL_TYPE:
        return record.incident_id in known - stay
    return (record.incident_id or "") not in stay or not record.incident_id
