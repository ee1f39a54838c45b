"""§5.2 Draft a check that catches the like of an incident earlier."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.postmortem.postmortem import KeptBeside
from tasks.settings import load_settings
from tasks.work.postmortem.artifacts import checks_drafted


@task(name="draft_check", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def draft_check(service: str, incident_id: str) -> KeptBeside:
    """Draft checks from the evidence of an incident; a person switches them on.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be kept is named in the postmortem, and the next run tries again.
    """
    return checks_drafted(load_settings(), service, incident_id, datetime.now(UTC))
