"""Safety rule 10: effect, not exit code."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.progress import shown_progress
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.recovery import proven


@task(name="confirm_recovery", cache_policy=NO_CACHE, timeout_seconds=1000)
async def confirm_recovery(case: RemediationCase, result: ActionResult) -> ActionResult:
    """Check until health, synthetic orders and the error rate are good and stay so; else the action was ineffective.

    Runbook: §2.1, §2.2, §2.3, after the action.
    A recovery that is not proven in time is *not recovered*, and is recorded so; where the ledger cannot
    be read or written by now, once that is possible.
    """
    async with shown_progress("progress-recovery") as report:
        return await proven(load_settings(), case, result, report)
