"""§5.2 Keep the incident as a test that `runbook replay` runs."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.postmortem.postmortem import KeptBeside
from tasks.settings import load_settings
from tasks.work.postmortem.artifacts import regression_written


@task(name="write_regression", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def write_regression(service: str, incident_id: str) -> KeptBeside:
    """Keep the evidence of an incident and the causes that it must be given, as a fixture.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be kept is named in the postmortem, and the next run tries again.
    """
    return regression_written(load_settings(), service, incident_id, datetime.now(UTC))
