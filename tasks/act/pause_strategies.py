"""§2.2: pause an asset class, or one strategy. Cancels always pass, and nothing undoes it but a person."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.pause import paused


@task(name="pause_strategies", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def pause_strategies(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Pause an asset class, or one strategy, once.

    Runbook: §2.2 Else pause automated strategies.
    Every end of the change is an outcome, and what cannot be recorded now is recorded later.
    """
    return await execute(load_settings(), case, planned, paused)
