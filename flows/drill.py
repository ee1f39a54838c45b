"""Game day: break one thing on the local stack, let the runbook find it, heal it, and score what was done."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.asked import one_service
from flows.forms import By, Help
from flows.triage import triage
from tasks.await_end import await_end
from tasks.await_reaction import await_reaction
from tasks.clients.progress import shown_progress
from tasks.heal_fault import heal_fault
from tasks.inject_fault import inject_fault
from tasks.model.drills import DrillName, DrillScene
from tasks.model.progress import LongStep
from tasks.open_drill import open_drill
from tasks.rules.drills.course import drill_part
from tasks.rules.drills.drill_table import triages_count
from tasks.rules.drills.markdown import score_line
from tasks.score_drill import score_drill

Which = Annotated[DrillName, Help("What is broken; `runbook drill list` tells what is expected of each.")]
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
    """Rehearse the page on one fault; nothing but the local stack is ever broken, and it is healed whatever happens.

    Runbook: §1 to §5, rehearsed.
    Errors: `NOT_OUR_STACK`, `NOT_WELL`, `DRILL_UNDER_WAY` before anything is touched.
    """
    scene = await open_drill(drill, one_service(service), by)
    async with shown_progress("progress-drill") as report:
        try:
            report(drill_part(LongStep.DRILL_BEGIN))
            scene = await inject_fault(scene)
            report(drill_part(LongStep.DRILL_FIND))
            await look_until(await_reaction, scene)  # §1 to §4
        finally:
            report(drill_part(LongStep.DRILL_HEAL))
            scene = await heal_fault(scene)
        report(drill_part(LongStep.DRILL_CLOSE))
        await look_until(await_end, scene)  # §5
        report(drill_part(LongStep.DRILL_SCORE))
        return score_line(await score_drill(scene))


async def look_until(holds: Callable[[DrillScene], Awaitable[bool]], scene: DrillScene) -> None:
    """Run triages until one after which it holds; a triage that breaks shows in the score."""
    for _ in range(triages_count(scene)):
        await triage(scene.service, note=f"drill {scene.drill}", return_state=True)  # §1
        if await holds(scene):
            return
