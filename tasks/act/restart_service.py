"""§2.1 Restart if hung."""

from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.progress import shown_progress
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.restart import restarted


@task(name="restart_service", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def restart_service(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Restart the service once: drain, kill, start, and wait until it answers.

    Runbook: §2.1 Restart if hung.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A stop or start that fails midway is an outcome *unknown*:
    it is recorded, never tried again by itself, and goes to a person.
    """
    async with shown_progress("progress-restart") as report:
        return await execute(load_settings(), case, planned, partial(restarted, report=report))
