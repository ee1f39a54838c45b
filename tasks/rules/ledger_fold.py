"""Fold the older part of a ledger, so that only its end is read again: a fold and the rest say what the file says."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from tasks.model.incident import Event, Fold, IncidentState, Ledger, LedgerRecord
from tasks.model.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.rules.action_history import APPROVAL_TYPE, CLOCK_SLACK, is_rearm
from tasks.rules.incident_state import NOBODY, fold_record, known_incidents

# What decides by time looks back a day at most.
BEARS_FOR = timedelta(days=1)
# A day of facts is far less; beyond this the oldest of them no longer count.
FACTS_LIMIT_COUNT = 5_000
_ACTIONS = frozenset({Event.ACTION_STARTED, Event.ACTION_FINISHED})
_TURNS = frozenset({Event.OPENED, Event.RECOVERED, Event.CLOSED})
_NAMES_CAUSE = frozenset({Event.OPENED, Event.DIAGNOSED})
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
        by_people = record.type in _BY_PEOPLE or is_rearm(record)
        spent = (record.event in _ACTIONS or record.type == APPROVAL_TYPE) and index > rearmed.get(record.service, -1)
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
