"""§2.3: switch off the feature that broke its asset class."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.feature import disabled


@task(name="disable_feature", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def disable_feature(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Switch one feature off, once.

    Runbook: §2.3 Or disable the new feature.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await execute(load_settings(), case, planned, disabled)
