"""§2.2: pause an asset class, or one strategy. Cancels always pass, and nothing undoes it but a person."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.acting import carried_out
from tasks.clients.pausing import paused
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings


@task(name="pause_strategies", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def pause_strategies(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Pause an asset class, or one strategy, once.

    Runbook: §2.2 Else pause automated strategies.
    Errors: none; every end of the change is an outcome, and what cannot be recorded now is recorded later.
    """
    return await carried_out(load_settings(), case, planned, paused)
