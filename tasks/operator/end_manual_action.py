"""§2: end the incident that a person's order opened, once it is carried out."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.operator_action import ManualActionStory
from tasks.model.remediation.remediation import RemediationResult
from tasks.settings import load_settings
from tasks.work.remediation.operator_incident import manual_action_ended


@task(name="end_manual_action", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def end_manual_action(story: ManualActionStory, result: RemediationResult) -> bool:
    """Close the order's own incident, unless its end is bad or nobody knows it: that one stays for people.

    Runbook: §2, after a manual action.
    Errors: `LEDGER_UNWRITABLE`; the incident then stays open, and a triage closes it later.
    """
    return manual_action_ended(load_settings(), story, result)
