"""§2: check a person's own order against the same guards as the automation's actions."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.operator_action import ManualActionStory
from tasks.model.remediation.plan import Plan
from tasks.settings import load_settings
from tasks.work.remediation.operator_incident import planned_by_operator


@task(name="plan_manual_action", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def plan_manual_action(story: ManualActionStory) -> Plan:
    """Turn an order into actions, each with the guards that allow it, forbid it, or were passed by by name.

    Runbook: §2 Remediation of the common cases.
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is planned.
    """
    return await planned_by_operator(load_settings(), story)
