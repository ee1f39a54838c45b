"""§2: show the person who gave an order what it came to."""

import asyncio

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.artifacts import published
from tasks.clients.run_page import renamed
from tasks.model.by_hand import HandStory
from tasks.model.remediation import RemediationResult
from tasks.rules.by_hand_messages import outcome_line
from tasks.rules.planning.markdown import outcome_markdown
from tasks.rules.run_names import ended_name


@task(name="write_outcome", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_outcome(story: HandStory, result: RemediationResult) -> str:
    """Write what became of each action as an artifact of the run, and say it in one line.

    Runbook: §2, after an action by hand.
    Errors: none; without Prefect's server the ledger and the messages tell it.
    """
    line = outcome_line(story, result)
    service, incident_id = story.instruction.service, story.incident.incident_id
    await asyncio.gather(
        published(outcome_markdown(line, result), key="outcome", description=line),
        renamed(ended_name(runtime.flow_run.name or service, result), (service, incident_id)),
    )
    return line
