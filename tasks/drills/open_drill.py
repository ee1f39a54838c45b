"""A game day begins: prove that the stack is our own and healthy, and note the drill before anything is broken."""

from datetime import UTC, datetime

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.drills.notes import begin
from tasks.clients.drills.own_stack import own_stack
from tasks.model.drills.drills import DrillContext, DrillName
from tasks.settings import RunbookSettings, load_settings
from tasks.work.drills.watching import refuse_unfit


@task(name="open_drill", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def open_drill(drill: DrillName, service: str, by: str) -> DrillContext:
    """Refuse any stack but a healthy one of our own, and note what is about to be broken.

    Runbook: §1 to §5, rehearsed.
    Errors: `NOT_OUR_STACK`, `NOT_WELL`, `DRILL_UNDER_WAY`; nothing was touched then.
    """
    return await opened(load_settings(), drill, service, (by, str(runtime.flow_run.id)))


async def opened(settings: RunbookSettings, drill: DrillName, service: str, who: tuple[str, str]) -> DrillContext:
    """Prove that the stack is fit for a drill, and write the note by which it can be undone after any crash."""
    await refuse_unfit(settings, service)
    by, run_id = who
    table = own_stack(settings, service).table.read_text("utf-8")
    context = DrillContext(
        drill=drill, service=service, by=by, run_id=run_id, opened_at=datetime.now(UTC), table=table
    )  # fmt: skip
    begin(settings, context)
    return context
