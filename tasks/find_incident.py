"""§5 Name the incident that a person asks about."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.postmortem_facts import known_case
from tasks.model.errors import Code, RunbookError
from tasks.rules.incident_state import fold_incidents
from tasks.settings import RunbookSettings, load_settings


@task(name="find_incident", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def find_incident(service: str, incident_id: str) -> str:
    """Find the incident of that id; without one, the newest of the service.

    Runbook: §5.1 Postmortem.
    Errors: `BAD_ARGUMENT` when there is none, `LEDGER_UNREADABLE`.
    """
    return found_incident(load_settings(), service, incident_id.strip())


def found_incident(settings: RunbookSettings, service: str, incident_id: str) -> str:
    """Look in the ledger, and in what was kept of older incidents."""
    if incident_id:
        return known_case(settings, service, incident_id).incident.incident_id
    incidents = fold_incidents(read_ledger(settings.ledger_path(service)).records, service)
    if not incidents:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected an incident of {service} was none; see `runbook incidents`")
    return max(incidents, key=lambda one: one.opened_at).incident_id
