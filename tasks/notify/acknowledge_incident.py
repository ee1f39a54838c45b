"""§3 Escalation matrix: a person has the incident."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incidents.acknowledge import acknowledge
from tasks.clients.prefect.form_user import form_user
from tasks.model.people.person import Identity, Right
from tasks.rules.formats.time import utc_text
from tasks.settings import RunbookSettings, load_settings
from tasks.work.people.permits import permitted


@task(name="acknowledge_incident", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def acknowledge_incident(incident_id: str, by: str, for_minutes: int) -> str:
    """Write into the ledger that a person has an incident, and say which one until when.

    Runbook: §3.1 Tier 1, on-call.
    Errors: `NOT_PERMITTED`, `UNKNOWN_INCIDENT`, `BAD_ARGUMENT`, `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`.
    """
    return incident_acknowledged(load_settings(), form_user(), incident_id, by, for_minutes)


def incident_acknowledged(
    settings: RunbookSettings, identity: Identity, incident_id: str, by: str, for_minutes: int
) -> str:
    """Write it as who is proven, where `[people]` say who may."""
    who = permitted(settings, identity, Right.ACKNOWLEDGE, by).by if settings.people else by
    taken = acknowledge(settings, incident_id, who, datetime.now(UTC), for_minutes * 60)
    until = utc_text(taken.acknowledged_until) if taken.acknowledged_until else "now"
    return f"{taken.incident_id} is with {taken.acknowledged_by} until {until}"
