"""§5.2 Draft a check that catches the like of an incident earlier."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.accepted_checks import keep_drafts
from tasks.clients.postmortem_facts import known_case
from tasks.model.errors import RunbookError
from tasks.model.postmortem import KeptBeside
from tasks.rules.check_drafts import draft_checks
from tasks.settings import RunbookSettings, load_settings


@task(name="draft_check", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def draft_check(service: str, incident_id: str) -> KeptBeside:
    """Draft checks from the evidence of an incident; a person switches them on.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be kept is told in the postmortem, and the next run tries again.
    """
    return checks_drafted(load_settings(), service, incident_id, datetime.now(UTC))


def checks_drafted(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the drafts that are new of an incident that is over; no evidence gives none."""
    try:
        case = known_case(settings, service, incident_id)
        if case.incident.is_open or case.first_run is None:
            return KeptBeside()
        drafts = draft_checks(case.incident, case.first_run, now)
        return KeptBeside(names=keep_drafts(settings.state_dir, drafts))
    except RunbookError as error:
        return KeptBeside(fault=f"the draft check: {error}")
