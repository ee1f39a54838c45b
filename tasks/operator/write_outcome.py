"""§2: show the person who gave an order what it came to."""

import asyncio

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.artifacts import published, renamed
from tasks.model.remediation.operator_action import ManualActionStory
from tasks.model.remediation.remediation import RemediationResult
from tasks.rules.messages.operator import outcome_line
from tasks.rules.remediation.planning.plan_markdown import outcome_markdown
from tasks.rules.reports.run_names import ended_name


@task(name="write_outcome", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_outcome(story: ManualActionStory, result: RemediationResult) -> str:
    """Write what became of each action as an artifact of the run, and say it in one line.

    Runbook: §2, after a manual action.
    Without Prefect's server the ledger and the messages tell it.
    """
    line = outcome_line(story, result)
    service, incident_id = story.manual_action.service, story.incident.incident_id
    await asyncio.gather(
        published(outcome_markdown(line, result), key="outcome", description=line),
        renamed(ended_name(runtime.flow_run.name or service, result), (service, incident_id)),
    )
    return line
