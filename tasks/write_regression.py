"""§5.2 Keep the incident as a test that `runbook replay` runs."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.postmortem_facts import known_case
from tasks.clients.regressions import keep_regression
from tasks.model.errors import RunbookError
from tasks.model.postmortem import KeptBeside
from tasks.settings import RunbookSettings, load_settings


@task(name="write_regression", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def write_regression(service: str, incident_id: str) -> KeptBeside:
    """Keep the evidence of an incident and the causes that it must be given, as a fixture.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be kept is told in the postmortem, and the next run tries again.
    """
    return regression_written(load_settings(), service, incident_id, datetime.now(UTC))


def regression_written(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the fixture of an incident that is over; where no evidence was kept there is none."""
    try:
        case = known_case(settings, service, incident_id)
        if case.incident.is_open or case.first_run is None:
            return KeptBeside()
        return KeptBeside(names=(keep_regression(settings.state_dir, case.incident, case.first_run, now),))
    except RunbookError as error:
        return KeptBeside(fault=f"the fixture: {error}")
