"""§3 Escalation matrix: a person has the incident."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.acknowledge import acknowledge
from tasks.rules.times import utc_text
from tasks.settings import load_settings


@task(name="acknowledge_incident", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def acknowledge_incident(incident_id: str, by: str, for_minutes: int) -> str:
    """Write into the ledger that a person has an incident, and say which one until when.

    Runbook: §3.1 Tier 1, on-call.
    Errors: `UNKNOWN_INCIDENT`, `BAD_ARGUMENT`, `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`.
    """
    taken = acknowledge(load_settings(), incident_id, by, datetime.now(UTC), for_minutes * 60)
    until = utc_text(taken.acknowledged_until) if taken.acknowledged_until else "now"
    return f"{taken.incident_id} is with {taken.acknowledged_by} until {until}"
