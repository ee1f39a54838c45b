"""§2: write down what is to be done, before anything is done."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.plan import Plan
from tasks.model.reports.report import TriageStory
from tasks.settings import load_settings
from tasks.work.remediation.plan import planned_and_kept


@task(name="plan_remediation", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def plan_remediation(story: TriageStory) -> Plan:
    """Turn the diagnosis into actions in order, each with the guard that allows it or the reason that forbids it.

    Runbook: §2 Remediation of the common cases.
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is planned.
    """
    return await planned_and_kept(load_settings(), story)
