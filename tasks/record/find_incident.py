"""§5 Name the incident that a person asks about."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.settings import load_settings
from tasks.work.postmortem.case import found_incident


@task(name="find_incident", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def find_incident(service: str, incident_id: str) -> str:
    """Find the incident of that id; without one, the newest of the service.

    Runbook: §5.1 Postmortem.
    Errors: `BAD_ARGUMENT` when there is none, `LEDGER_UNREADABLE`.
    """
    return found_incident(load_settings(), service, incident_id.strip())
