"""§2.3: roll back to a release that is known to be good, and change nothing but the code."""

from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.progress import shown_progress
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.roll_back import rolled_back


@task(name="roll_back_release", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def roll_back_release(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Make the earlier release current and start it, once.

    Runbook: §2.3 Roll back to the previous release if there is one.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A release that does not come up is *unknown*: it is never
    followed by a deeper rollback, and goes to a person. So is one after which the configuration is not as it was.
    """
    async with shown_progress("progress-roll-back") as report:
        return await execute(load_settings(), case, planned, partial(rolled_back, report=report))
