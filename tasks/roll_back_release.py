"""§2.3: roll back to the last release that was seen healthy."""

import asyncio
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.progress import shown_progress
from tasks.clients.replacing import replaced
from tasks.clients.roll_back import moved_back
from tasks.model.incident import Outcome
from tasks.model.plan import PlannedAction
from tasks.model.progress import Report, unheard
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings


@task(name="roll_back_release", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def roll_back_release(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Make the earlier release current and start it, once.

    Runbook: §2.3 Roll back to the previous release if there is one.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A release that does not come up is *unknown*: it is never
    followed by a deeper rollback, and goes to a person.
    """
    async with shown_progress("progress-roll-back") as report:
        return await carried_out(load_settings(), case, planned, partial(rolled_back, report=report))


async def rolled_back(scene: Scene, report: Report = unheard) -> Done:
    """Move the pointer, then replace the process; a move that was refused has changed nothing, and stops nothing."""
    move = await asyncio.to_thread(moved_back, scene.service, scene.planned.target.release or "", scene.why)
    if move.outcome is not Outcome.DONE:
        return move
    start = await asyncio.to_thread(replaced, scene.service, scene.facts.latest.process, report)
    return Done(outcome=start.outcome, detail=f"{move.detail}; {start.detail}")
