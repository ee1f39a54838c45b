"""§2.1: mark a gateway degraded, so that everybody sees it; it still takes the orders that reach it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.mark import marked


@task(name="mark_degraded", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def mark_degraded(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Mark one gateway degraded, once.

    Runbook: §2.1 If a dependency is unreachable, mark the service degraded.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await execute(load_settings(), case, planned, marked)
