"""§1.1 to §1.4 for every service of a host: one pass over each, a few at a time."""

from datetime import UTC, datetime

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.model.fleet.sweep import SweepObservations, SweepRequest
from tasks.settings import load_settings
from tasks.work.fleet.sweep import sweep_observations


@task(name="sweep_services", cache_policy=NO_CACHE, timeout_seconds=90, retries=0)
async def sweep_services(request: SweepRequest) -> SweepObservations:
    """Check each service once, each by itself: what hangs, drips or breaks in one delays no other.

    Runbook: §1.1, §1.2, §1.3, §1.4.
    Errors: none; a service that could not be checked is *blind*.
    """
    settings, scheduled_at = load_settings(), runtime.flow_run.scheduled_start_time
    late_s = (datetime.now(UTC) - scheduled_at).total_seconds() if scheduled_at else 0.0
    observations = await sweep_observations(settings, request)
    return observations.model_copy(update={"late": late_s > settings.late_after_s})
