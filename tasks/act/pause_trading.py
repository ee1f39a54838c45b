"""§2.2: a person's pause, in one step that waits for nothing (safety rule 8)."""

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.operator_action import ManualAction
from tasks.settings import load_settings
from tasks.work.remediation.operator_action import Operated, pause_ordered


@task(name="pause_trading", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def pause_trading(manual_action: ManualAction) -> Operated:
    """Pause what a person names, notify, and record it: now, or once the ledger can be written again.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `UNKNOWN_SERVICE`; every end of the change is an outcome.
    """
    return await pause_ordered(load_settings(), manual_action, runtime.flow_run.ui_url)
