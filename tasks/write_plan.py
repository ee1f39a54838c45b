"""§2: show the plan before anything is done."""

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation import RemediationCase
from tasks.rules.planning.markdown import plan_markdown


@task(name="write_plan", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_plan(case: RemediationCase) -> None:
    """Write the plan as an artifact of the run: each action, and what allows or forbids it.

    Runbook: §2 Remediation.
    """
    await acreate_markdown_artifact(plan_markdown(case), key="plan", description=f"{case.service}: what is to be done")
