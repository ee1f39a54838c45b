"""Game day: break one thing on the local stack, let the runbook find it, undo it, and score what was done."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.forms import By, Help, one_service
from flows.triage import triage
from tasks.clients.prefect.progress import shown_progress
from tasks.drills.await_end import await_end
from tasks.drills.await_reaction import await_reaction
from tasks.drills.fix_fault import fix_fault
from tasks.drills.inject_fault import inject_fault
from tasks.drills.open_drill import open_drill
from tasks.drills.score_drill import score_drill
from tasks.model.drills.drills import DrillContext, DrillName
from tasks.model.reports.progress import LongStep
from tasks.rules.drills.catalogue import triages_count
from tasks.rules.drills.drill_markdown import score_line
from tasks.rules.drills.game_day import drill_part

Which = Annotated[DrillName, Help("What is broken; `runbook drill list` shows what is expected of each.")]
OwnService = Annotated[
    str | None,
    Field(max_length=100),
    Help("The service of the local stack; any other one is refused. Empty: the only one."),
]


@flow(name="drill", flow_run_name="drill {drill}")
async def drill(
    drill: Which = DrillName.GATEWAY_KILLED,
    service: OwnService = "",
    by: By = "a person at the Prefect UI",
) -> str:
    """Rehearse the page on one fault; nothing but the local stack is ever broken, and the fault is always undone.

    Runbook: §1 to §5, rehearsed.
    Errors: `NOT_OUR_STACK`, `NOT_WELL`, `DRILL_UNDER_WAY` before anything is touched.
    """
    context = await open_drill(drill, one_service(service), by)
    async with shown_progress("progress-drill") as report:
        try:
            report(drill_part(LongStep.DRILL_BEGIN))
            context = await inject_fault(context)
            report(drill_part(LongStep.DRILL_FIND))
            await look_until(await_reaction, context)  # §1 to §4
        finally:
            report(drill_part(LongStep.DRILL_UNDO))
            context = await fix_fault(context)
        report(drill_part(LongStep.DRILL_CLOSE))
        await look_until(await_end, context)  # §5
        report(drill_part(LongStep.DRILL_SCORE))
        return score_line(await score_drill(context))


async def look_until(holds: Callable[[DrillContext], Awaitable[bool]], context: DrillContext) -> None:
    """Run triages until one after which it holds; a triage that breaks shows in the score."""
    for _ in range(triages_count(context)):
        await triage(context.service, note=f"drill {context.drill}", return_state=True)  # §1
        if await holds(context):
            return
