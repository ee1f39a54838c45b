"""§1.4: put a person's order into the incident that it belongs to, before anything is done about it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.evidence.evidence import Context
from tasks.model.probes.probes import Observation
from tasks.model.remediation.operator_action import ManualAction, ManualActionStory
from tasks.settings import load_settings
from tasks.work.remediation.operator_incident import manual_action_recorded


@task(name="record_manual_action", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_manual_action(manual_action: ManualAction, context: Context, seen: Observation | None) -> ManualActionStory:
    """Find the open incident that an order fits, or open one by the person's word.

    Runbook: §1.4 Recent incidents.
    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; what cannot be recorded must not be done.
    """
    return manual_action_recorded(load_settings(), manual_action, context, seen)
