"""§2.2: re-route the new orders of a class to an approved alternate: a test order first, then all; none is resent."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.reroute import rerouted


@task(name="reroute_orders", cache_policy=NO_CACHE, timeout_seconds=180, retries=0)
async def reroute_orders(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Re-route the new orders of one class to an alternate, once.

    Runbook: §2.2 If one gateway is failing, re-route orders if that is safe.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await execute(load_settings(), case, planned, rerouted)
