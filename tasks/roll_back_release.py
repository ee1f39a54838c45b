"""§2.3: roll back to a release that is known to be good, and change nothing but the code."""

import asyncio
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.progress import shown_progress
from tasks.clients.releases_root import live_table_hash
from tasks.clients.replacing import replaced
from tasks.clients.roll_back import configuration_now, moved_back
from tasks.model.incident import Outcome
from tasks.model.plan import PlannedAction
from tasks.model.progress import Report, unheard
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.model.verdicts import GuardCode
from tasks.rules.kept_configuration import Configuration, lost
from tasks.settings import load_settings


@task(name="roll_back_release", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def roll_back_release(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Make the earlier release current and start it, once.

    Runbook: §2.3 Roll back to the previous release if there is one.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A release that does not come up is *unknown*: it is never
    followed by a deeper rollback, and goes to a person. So is one after which the configuration is not as it was.
    """
    async with shown_progress("progress-roll-back") as report:
        return await carried_out(load_settings(), case, planned, partial(rolled_back, report=report))


async def rolled_back(scene: Scene, report: Report = unheard) -> Done:
    """Move the pointer, then replace the process; a move that was refused has changed nothing, and stops nothing.

    Steps: 1. what is in force 2. the move 3. the start 4. proof that nothing but the code has changed
    """
    latest = scene.facts.latest
    table_hash = await asyncio.to_thread(live_table_hash, scene.service)
    before = Configuration(health=latest.health, routing=latest.routing, table_hash=table_hash)
    move = await asyncio.to_thread(moved_back, scene.service, scene.planned.target.release or "", scene.why)
    if move.outcome is not Outcome.DONE:
        return move
    start = await asyncio.to_thread(replaced, scene.service, latest.process, report)
    detail = f"{move.detail}; {start.detail}"
    differs = lost(before, await configuration_now(scene.service)) if start.outcome is Outcome.DONE else ()
    if differs:
        told = (
            f"expected the configuration as it was before the rollback, was: {'; '.join(differs)}; set it right by hand"
        )
        return Done(outcome=Outcome.UNKNOWN, detail=f"{detail}; {told}", code=GuardCode.ROUTING_DIFFERS)
    return Done(outcome=start.outcome, detail=detail)
