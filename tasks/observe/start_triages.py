"""§1 for the services that are not plainly healthy: a triage each, in a run of its own."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.fleet.sweep import OwnTriage, SweepObservations, SweepRequest
from tasks.settings import load_settings
from tasks.work.fleet.child_runs import child_runs


@task(name="start_triages", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def start_triages(request: SweepRequest, observations: SweepObservations) -> tuple[OwnTriage, ...]:
    """Start a triage for each service that needs one, and say who is at work, who waits, and whom this run must see to.

    Runbook: §1 Initial triage.
    Errors: none; what cannot be started now is checked again in the next minute.
    """
    return await child_runs(load_settings(), request, observations.services)
