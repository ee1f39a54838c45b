"""A game day: see whether all is well again and the incident is closed."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.drills.watching import end_seen
from tasks.model.drills import DrillScene
from tasks.settings import load_settings


@task(name="await_end", cache_policy=NO_CACHE, timeout_seconds=60)
async def await_end(scene: DrillScene) -> bool:
    """Say whether no incident is open and all is well; where it is not, wait a little for the next triage.

    Runbook: §5, rehearsed.
    Errors: `LEDGER_UNREADABLE`.
    """
    return await end_seen(load_settings(), scene)
