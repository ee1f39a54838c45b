"""§2: end the incident that a person's order opened, once it is carried out."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.instructing import instruction_ended
from tasks.model.by_hand import HandStory
from tasks.model.remediation import RemediationResult
from tasks.settings import load_settings


@task(name="end_instruction", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def end_instruction(story: HandStory, result: RemediationResult) -> bool:
    """Close the order's own incident, unless its end is bad or nobody knows it: that one stays for people.

    Runbook: §2, after an action by hand.
    Errors: `LEDGER_UNWRITABLE`; the incident then stays open, and a triage closes it later.
    """
    return instruction_ended(load_settings(), story, result)
