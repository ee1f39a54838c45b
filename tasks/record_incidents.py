"""Write what a triage found into the incident ledger, before anything is done about it."""

import secrets
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import read_ledger, transact
from tasks.model.diagnosis import Cause, Diagnosis
from tasks.model.incident import Event, Ledger, LedgerRecord
from tasks.model.remediation import IncidentUpdate
from tasks.rules.incident_changes import incident_changes
from tasks.rules.incident_state import fold_incidents, open_incidents
from tasks.settings import RunbookSettings, load_settings


@task(name="record_incidents", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_incidents(service: str, diagnosis: Diagnosis) -> IncidentUpdate:
    """Open, observe or close the incidents of one diagnosis, under the ledger's lock.

    Runbook: §1.4 Recent incidents.
    Errors: `LEDGER_UNWRITABLE`, `LEDGER_UNREADABLE`; what cannot be recorded must not be acted on.
    """
    return incidents_recorded(load_settings(), service, diagnosis)


def incidents_recorded(settings: RunbookSettings, service: str, diagnosis: Diagnosis) -> IncidentUpdate:
    """Append the changes and fold the ledger again."""
    path, now = settings.ledger_path(service), datetime.now(UTC)

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        still_open = open_incidents(ledger.records, service)
        return incident_changes(service, diagnosis, still_open, now, lambda cause: _new_id(now, cause))

    changes = transact(path, decide)
    state = {one.incident_id: one for one in fold_incidents(read_ledger(path).records, service)}
    ids = {event: [one.incident_id for one in changes if one.event == event] for event in Event}
    return IncidentUpdate(
        opened=tuple(state[one] for one in ids[Event.OPENED] if one in state),
        observed=tuple(state[one] for one in ids[Event.OBSERVED] if one in state),
        closed=tuple(state[one] for one in ids[Event.CLOSED] if one in state),
    )


def _new_id(now: datetime, cause: Cause) -> str:
    return f"INC-{now:%Y%m%dT%H%M%SZ}-{cause}-{secrets.token_hex(2)}"
