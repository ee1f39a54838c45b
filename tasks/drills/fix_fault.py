"""A game day: undo what the drill broke, as a person would."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.drills.fixing import fixed
from tasks.clients.drills.notes import end
from tasks.model.drills.drills import DrillContext
from tasks.settings import load_settings


@task(name="fix_fault", cache_policy=NO_CACHE, timeout_seconds=300, retries=2, retry_delay_seconds=2)
async def fix_fault(context: DrillContext) -> DrillContext:
    """End the fault, start what is missing, take back what was set, and let the automation act again.

    Runbook: §2.2, the pause that a person ends, rehearsed.
    Errors: `NOT_OUR_STACK`; `NOT_WELL` names what could not be fixed, and the note of the drill stays.
    """
    settings = load_settings()
    over = await fixed(settings, context)
    end(settings, over)
    return over
