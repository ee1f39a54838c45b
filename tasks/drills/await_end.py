"""A game day: see whether all is healthy again and the incident is closed."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.drills.drills import DrillContext
from tasks.settings import load_settings
from tasks.work.drills.watching import end_seen


@task(name="await_end", cache_policy=NO_CACHE, timeout_seconds=60)
async def await_end(context: DrillContext) -> bool:
    """Say whether no incident is open and all is healthy; where it is not, wait a little for the next triage.

    Runbook: §5, rehearsed.
    Errors: `LEDGER_UNREADABLE`.
    """
    return await end_seen(load_settings(), context)
