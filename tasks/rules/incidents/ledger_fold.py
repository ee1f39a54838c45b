"""Fold the older part of a ledger, so that only its end is read again: a fold and the rest say what the file says.

And choose the lines that nobody decides by any more: they go into the archive, word for word.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tasks.model.incidents.incident import Event, Fold, IncidentState, Ledger, LedgerRecord
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.model.people.rota import GAP_TYPE
from tasks.rules.incidents.action_history import APPROVAL_TYPE, ASKED_TYPE, CLOCK_SLACK, is_rearm
from tasks.rules.incidents.fold import NOBODY, fold_record, known_incidents
from tasks.rules.incidents.transitions import half_done

# What decides by time looks back a day at most.
BEARS_FOR = timedelta(days=1)
# A day of facts is far less; beyond this the oldest of them no longer count.
FACTS_LIMIT_COUNT = 5_000
_ACTIONS = frozenset({Event.ACTION_STARTED, Event.ACTION_FINISHED})
_TURNS = frozenset({Event.OPENED, Event.RECOVERED, Event.CLOSED})
_NAMES_CAUSE = frozenset({Event.OPENED, Event.DIAGNOSED})
_ANSWERS = frozenset({APPROVAL_TYPE, ASKED_TYPE})
_BY_PEOPLE = frozenset({STARTED_TYPE, ENDED_TYPE})
CLOCK_TYPE = "ledger_clock"
FIRST = datetime.min.replace(tzinfo=UTC)


def folded(ledger: Ledger, line_count: int, now: datetime) -> Fold:
    """Take everything that was read into the fold.

    Errors: none. `line_count` are the lines of the file up to where it was read.
    """
    incidents = _incidents(ledger.before, ledger.since)
    return Fold(
        line_count=line_count,
        record_count=ledger.before.record_count + len(ledger.since),
        skipped_count=ledger.skipped_count,
        incidents=incidents,
        records=_bearing(ledger.records, incidents, now),
    )


def _incidents(before: Fold, records: Iterable[LedgerRecord]) -> dict[str, tuple[IncidentState, ...]]:
    states: dict[str, dict[str, IncidentState]] = {
        service: {one.incident_id: one for one in known} for service, known in before.incidents.items()
    }
    nobody = states.setdefault(NOBODY, {})
    for record in records:
        service = record.service
        if service is not None and service not in states and (record.incident_id or is_rearm(record)):
            known = known_incidents(Fold(incidents={NOBODY: tuple(nobody.values())}), service)
            states[service] = {one.incident_id: one for one in known}
        concerned = states if service is None else {service: states[service]} if service in states else {}
        for name, incidents in concerned.items():
            fold_record(incidents, record, name)
    return {service: tuple(incidents.values()) for service, incidents in states.items()}


def _bearing(
    records: tuple[LedgerRecord, ...], incidents: Mapping[str, tuple[IncidentState, ...]], now: datetime
) -> tuple[LedgerRecord, ...]:
    """Keep the records that a budget, a window, a timer or a cause may still ask for, in the order of the file.

    Steps: before an action stands how late the file said it was, since that decides how an action with a wrong time
    counts (`action_history`).
    """
    bears = _chosen(records, incidents, now)
    kept: list[LedgerRecord] = []
    latest = shown = FIRST
    for index, record in enumerate(records):
        if bears[index]:
            if latest > shown and record.event in _ACTIONS:
                kept.append(_clock(latest, record.line))
                shown = latest
            kept.append(record)
            shown = max(shown, _shown(record, now))
        latest = max(latest, _shown(record, now))
    return (*kept, _clock(latest, records[-1].line)) if latest > shown else tuple(kept)


def _chosen(
    records: tuple[LedgerRecord, ...], incidents: Mapping[str, tuple[IncidentState, ...]], now: datetime
) -> list[bool]:
    still_open = {one.incident_id for known in incidents.values() for one in known if one.is_open}
    rearmed = {record.service: index for index, record in enumerate(records) if is_rearm(record)}
    facts_left = FACTS_LIMIT_COUNT
    chosen = [False] * len(records)
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        by_people = record.type in _BY_PEOPLE or record.type == GAP_TYPE or is_rearm(record)
        spent = (record.event in _ACTIONS or record.type in _ANSWERS) and index > rearmed.get(record.service, -1)
        running = record.event in _NAMES_CAUSE and record.incident_id in still_open
        recent = facts_left > 0 and _is_recent_fact(record, now)
        chosen[index] = by_people or spent or running or recent
        facts_left -= recent
    return chosen


def _is_recent_fact(record: LedgerRecord, now: datetime) -> bool:
    if record.timestamp <= now - BEARS_FOR or record.type == CLOCK_TYPE:
        return False
    return record.incident_id is None or record.event in _TURNS | _ACTIONS


def _shown(record: LedgerRecord, now: datetime) -> datetime:
    return record.timestamp if record.timestamp <= now + CLOCK_SLACK else FIRST


def _clock(latest: datetime, line: int) -> LedgerRecord:
    return LedgerRecord(timestamp=latest, type=CLOCK_TYPE, service=NOBODY, line=line)


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
    if is_rearm(record) or record.type in _BY_PEOPLE:
        return False
    if record.event in _ACTIONS or record.type == APPROVAL_TYPE:
        return record.incident_id in known - stay
    return (record.incident_id or "") not in stay or not record.incident_id
