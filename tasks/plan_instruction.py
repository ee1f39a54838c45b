"""§2: weigh a person's own order against the same guards as the automation's actions."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.instructing import planned_by_hand
from tasks.model.by_hand import HandStory
from tasks.model.plan import Plan
from tasks.settings import load_settings


@task(name="plan_instruction", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def plan_instruction(story: HandStory) -> Plan:
    """Turn an order into actions, each with the guards that allow it, forbid it, or were passed by by name.

    Runbook: §2 Remediation of the common cases.
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is planned.
    """
    return await planned_by_hand(load_settings(), story)
