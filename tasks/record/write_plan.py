"""§2 Show the plan before anything is done."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.artifacts import published
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.remediation.planning.plan_markdown import plan_markdown


@task(name="write_plan", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_plan(case: RemediationCase) -> bool:
    """Write the plan as an artifact of the run: each action, and what allows or forbids it. Say whether it shows.

    Runbook: §2 Remediation.
    Errors: none; a server of Prefect that is away delays no action (safety rule 13). The messages name it as well.
    """
    shown = await published(plan_markdown(case), key="plan", description=f"{case.service}: what is to be done")
    if not shown:
        get_run_logger().warning("PLAN_NOT_SHOWN: Prefect's server took no artifact; the action goes on")
    return shown
