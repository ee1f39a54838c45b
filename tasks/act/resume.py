"""§2.2: end a pause or take a mark off, by a person's order only; a class trades again once a test order has filled."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.resume import resumed


@task(name="resume", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def resume(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Let a class or a strategy trade again, or take the mark off a gateway, once.

    Runbook: §2.2, after the pause; §2.1, after the mark.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await execute(load_settings(), case, planned, resumed)
