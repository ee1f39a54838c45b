"""A game day: see whether the automation has come to its end."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.drills.drills import DrillContext
from tasks.settings import load_settings
from tasks.work.drills.watching import reaction_seen


@task(name="await_reaction", cache_policy=NO_CACHE, timeout_seconds=1300)
async def await_reaction(context: DrillContext) -> bool:
    """Wait while somebody acts, and say whether all that is expected has been done.

    Runbook: §2, rehearsed.
    Errors: `LEDGER_UNREADABLE`.
    """
    return await reaction_seen(load_settings(), context)
