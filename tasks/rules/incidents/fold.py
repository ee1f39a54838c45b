"""Fold the ledger into the state of its incidents. No timer and no budget lives anywhere else."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tasks.model.incidents.incident import ActionRecord, Event, Fold, IncidentState, Ledger, LedgerRecord
from tasks.model.remediation.operator_action import MANUAL_ACTION_TYPE
from tasks.rules.formats.json_values import text_of
from tasks.rules.incidents.action_history import begun_action, ended_action, is_rearm
from tasks.rules.incidents.escalation_state import (
    acknowledged,
    closed,
    diagnosed,
    escalated,
    notified,
    observed,
    opened_again,
    recovered,
)

# What a foreign writer calls no event at all is something that it saw.
SEEN_EVENTS = frozenset({Event.OBSERVED, None, ""})
FAILURE_WORDS = ("failed", "error", "unreachable", "refused", "unavailable", "down", "hung")

# Under this name a fold has the incidents of records that name no service.
NOBODY = ""


def fold_incidents(ledger: Ledger | Iterable[LedgerRecord], service: str) -> tuple[IncidentState, ...]:
    """Fold one service's records into its incidents, oldest first.

    Errors: none; a record without an incident, or of an incident that nobody opened, changes nothing.
    """
    known, records = (ledger.before, ledger.since) if isinstance(ledger, Ledger) else (Fold(), ledger)
    incidents = {one.incident_id: one for one in known_incidents(known, service)}
    for record in records:
        fold_record(incidents, record, service)
    return tuple(incidents.values())


def records_of(ledger: Ledger | Iterable[LedgerRecord]) -> tuple[LedgerRecord, ...]:
    """Give the records that still bear on a decision."""
    return ledger.records if isinstance(ledger, Ledger) else tuple(ledger)


def known_incidents(fold: Fold, service: str) -> tuple[IncidentState, ...]:
    """Find the incidents of a service in a fold; one that it does not know has those of records that name nobody."""
    own = fold.incidents.get(service)
    return own if own is not None else tuple(_as_of(one, service) for one in fold.incidents.get(NOBODY, ()))


def fold_record(incidents: dict[str, IncidentState], record: LedgerRecord, service: str) -> None:
    if is_rearm(record) and record.service == service:
        incidents.update({name: _settled(incident) for name, incident in incidents.items()})
    if record.service not in {service, None} or not record.incident_id:
        return
    current = incidents.get(record.incident_id)
    if current is None and record.event == Event.OPENED:
        current = _opened(record, service)
    if current is not None:
        incidents[record.incident_id] = _step(current, record)


def open_incidents(ledger: Ledger | Iterable[LedgerRecord], service: str) -> tuple[IncidentState, ...]:
    """Find the incidents that still run."""
    return tuple(incident for incident in fold_incidents(ledger, service) if incident.is_open)


def rearmed_at(records: Iterable[LedgerRecord], service: str) -> datetime | None:
    """Find when a person last re-armed the automation of a service."""
    moments = [record.timestamp for record in records if is_rearm(record) and record.service == service]
    return max(moments, default=None)


def failing_since(records: Iterable[LedgerRecord], service: str, now: datetime) -> datetime | None:
    """Find the first failure of the run that is still unbroken, not the last line (§1.1); one day back at most.

    Errors: none. What is written about an incident after its end (who was notified, what a person said) is no failure.
    """
    since: datetime | None = None
    for record in sorted(records, key=lambda one: one.timestamp):
        if record.service not in {service, None} or record.timestamp < now - timedelta(days=1):
            continue
        if record.event in {Event.RECOVERED, Event.CLOSED} or record.type.endswith("_recovered"):
            since = None
        elif since is None and _is_failure(record):
            since = record.timestamp
    return since


def _is_failure(record: LedgerRecord) -> bool:
    """Say whether a record reports that something fails; our own ones by their event, foreign ones by their type."""
    if record.type == MANUAL_ACTION_TYPE:
        return False
    if record.event in {Event.OPENED, Event.DIAGNOSED}:
        return True
    return record.event in SEEN_EVENTS and any(word in record.type for word in FAILURE_WORDS)


def _as_of(incident: IncidentState, service: str) -> IncidentState:
    return incident.model_copy(update={"service": service})


def _opened(record: LedgerRecord, service: str) -> IncidentState:
    return IncidentState(
        incident_id=record.incident_id or "", service=service, state=Event.OPENED, opened_at=record.timestamp
    )


def _step(incident: IncidentState, record: LedgerRecord) -> IncidentState:
    change = _CHANGES.get(record.event or "")
    return incident.model_copy(update=change(incident, record)) if change else incident


def _finished(incident: IncidentState, record: LedgerRecord) -> tuple[ActionRecord, ...]:
    key = text_of(record.details, "key", 200)
    return tuple(ended_action(one, record) if one.key == key else one for one in incident.actions)


def _settled(incident: IncidentState) -> IncidentState:
    return incident.model_copy(
        update={"actions": tuple(one.model_copy(update={"settled": True}) for one in incident.actions)}
    )


Change = Callable[[IncidentState, LedgerRecord], dict[str, object]]

_CHANGES: dict[str, Change] = {
    Event.OPENED: opened_again,
    Event.DIAGNOSED: diagnosed,
    Event.OBSERVED: observed,
    Event.ACTION_STARTED: lambda incident, record: {
        "actions": (*incident.actions, begun_action(record, record.timestamp)),
        "state": record.event,
    },
    Event.ACTION_FINISHED: lambda incident, record: {"actions": _finished(incident, record), "state": record.event},
    Event.NOTIFIED: notified,
    Event.ACKNOWLEDGED: acknowledged,
    Event.ESCALATED: escalated,
    Event.RECOVERED: recovered,
    Event.CLOSED: closed,
}
