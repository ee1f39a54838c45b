"""§2: show the person who gave an order what it came to."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.artifacts import published
from tasks.model.by_hand import HandStory
from tasks.model.remediation import RemediationResult
from tasks.rules.by_hand_messages import outcome_line
from tasks.rules.planning.markdown import outcome_markdown


@task(name="write_outcome", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_outcome(story: HandStory, result: RemediationResult) -> str:
    """Write what became of each action as an artifact of the run, and say it in one line.

    Runbook: §2, after an action by hand.
    Errors: none; without Prefect's server the ledger and the messages tell it.
    """
    line = outcome_line(story, result)
    await published(outcome_markdown(line, result), key="outcome", description=line)
    return line
