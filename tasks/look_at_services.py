"""§1.1 to §1.4 for every service of a host: one look at each, all at once."""

from datetime import UTC, datetime

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.round_looks import round_looks
from tasks.model.rounds import RoundLooks, RoundRequest
from tasks.settings import load_settings


@task(name="look_at_services", cache_policy=NO_CACHE, timeout_seconds=90, retries=0)
async def look_at_services(request: RoundRequest) -> RoundLooks:
    """Look once at each service, each by itself: what hangs, drips or breaks in one delays no other.

    Runbook: §1.1, §1.2, §1.3, §1.4.
    Errors: none; a service that could not be looked at is *blind*.
    """
    settings, scheduled_at = load_settings(), runtime.flow_run.scheduled_start_time
    late_s = (datetime.now(UTC) - scheduled_at).total_seconds() if scheduled_at else 0.0
    looks = await round_looks(settings, request)
    return looks.model_copy(update={"late": late_s > settings.late_after_s})
