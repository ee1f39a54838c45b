"""§2.1 Restart if hung."""

import asyncio
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.progress import shown_progress
from tasks.clients.replacing import replaced
from tasks.model.plan import PlannedAction
from tasks.model.progress import Report, unheard
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings


@task(name="restart_service", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def restart_service(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Restart the service once: drain, kill, start, and wait until it answers.

    Runbook: §2.1 Restart if hung.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A stop or start that fails midway is an outcome *unknown*:
    it is recorded, never tried again by itself, and goes to a person.
    """
    async with shown_progress("progress-restart") as report:
        return await carried_out(load_settings(), case, planned, partial(restarted, report=report))


async def restarted(scene: Scene, report: Report = unheard) -> Done:
    """Replace the very process that was looked at."""
    return await asyncio.to_thread(replaced, scene.service, scene.facts.latest.process, report)
