"""Write what a triage found into the incident ledger, before anything is done about it."""

import secrets
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incidents.ledger import read_ledger, transact
from tasks.clients.locks.host_lock import holder_of
from tasks.model.diagnosis.diagnosis import Cause, Diagnosis
from tasks.model.errors import RunbookError
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Event, IncidentState, Ledger, LedgerRecord
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.transitions import OpenLedger, half_done, incident_changes
from tasks.settings import RunbookSettings, load_settings


@task(name="record_incidents", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_incidents(evidence: Evidence, diagnosis: Diagnosis) -> IncidentUpdate:
    """Open, observe or close the incidents of one diagnosis, under the ledger's lock.

    Runbook: §1.4 Recent incidents.
    Errors: none. What cannot be recorded must not be acted on: why is in the update, and people are notified of it.
    """
    return incidents_recorded(load_settings(), evidence, diagnosis)


def incidents_recorded(settings: RunbookSettings, evidence: Evidence, diagnosis: Diagnosis) -> IncidentUpdate:
    """Append the changes and fold the ledger again."""
    service, now = evidence.context.request.service, datetime.now(UTC)
    place = settings.ledger(service)
    acting = holder_of(settings.state_dir, service) is not None

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        incidents = fold_incidents(ledger, service)
        held = OpenLedger(
            service=service,
            now=now,
            incidents=tuple(one for one in incidents if one.is_open),
            closed=tuple(one for one in incidents if not one.is_open),
            escalation=settings.service(service).escalation,
            acting=acting,
        )
        return incident_changes(diagnosis, evidence, held, lambda cause: _new_id(now, cause))

    try:
        changes = transact(place, decide)
        incidents = fold_incidents(read_ledger(place), service)
    except RunbookError as error:
        return IncidentUpdate(fault=str(error))
    return update_of(incidents, changes, acting=acting)


def update_of(
    incidents: tuple[IncidentState, ...], changes: tuple[LedgerRecord, ...], *, acting: bool
) -> IncidentUpdate:
    """Say what changed, and which open incidents wait for a person because an action in them was left half done."""
    changed = {event: {one.incident_id for one in changes if one.event == event} for event in Event}
    seen_again = (changed[Event.OBSERVED] | changed[Event.DIAGNOSED]) - changed[Event.OPENED]
    stuck = () if acting else tuple(one for one in incidents if one.is_open and half_done(one))
    return IncidentUpdate(
        opened=tuple(one for one in incidents if one.incident_id in changed[Event.OPENED] and not one.recovered_at),
        observed=tuple(one for one in incidents if one.incident_id in seen_again),
        closed=tuple(one for one in incidents if one.incident_id in changed[Event.CLOSED]),
        half_done=stuck,
        held=tuple(one for one in incidents if one.is_open and one.recovered_at),
    )


def _new_id(now: datetime, cause: Cause) -> str:
    return f"INC-{now:%Y%m%dT%H%M%SZ}-{cause}-{secrets.token_hex(2)}"
