"""§2: plan again what the service could not tell while it was hung or down, once it answers."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.errors import CannotObserve
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.remediation.planning.due import lacks_input
from tasks.rules.remediation.planning.plan import planned_again
from tasks.settings import load_settings
from tasks.work.remediation.guard_inputs import guard_inputs_now


@task(name="plan_again", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def plan_again(case: RemediationCase, waiting: tuple[PlannedAction, ...]) -> tuple[PlannedAction, ...]:
    """Check once more, now that the service answers, and plan again what waits for an input that was missing.

    Runbook: §2 Remediation of the common cases.
    Errors: none of the ledger: without it no budget is known, and nothing is planned again.
    """
    first = next(one for one in waiting if lacks_input(one))
    try:
        return planned_again(waiting, await guard_inputs_now(load_settings(), case, first))
    except CannotObserve:
        return waiting
