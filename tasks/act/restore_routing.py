"""§2.2: put the last good routing table back. No restart, and no route that nobody approved."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.restore import restored


@task(name="restore_routing", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def restore_routing(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Put the last good table back, by its hash; where the service cannot, set its routes one by one.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await execute(load_settings(), case, planned, restored)
