"""§2: see who fills in the form of a manual action, and whether they may."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.form_user import form_user
from tasks.model.errors import Code, RunbookError
from tasks.model.people.person import Identity
from tasks.model.remediation.operator_action import CheckedOrder, ManualAction
from tasks.settings import RunbookSettings, load_settings
from tasks.work.people.permits import order_permitted

REFUSALS = frozenset({Code.NOT_PERMITTED, Code.SECOND_PERSON_NEEDED})


@task(name="check_order", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def check_order(manual_action: ManualAction) -> CheckedOrder:
    """Let an order through as by whom is proven; what needs two people is held back for the second.

    Runbook: §2 Remediation.
    Errors: those of the ledger, but never for what tightens (safety rule 8); a refusal is recorded, and a value.
    """
    return order_checked(load_settings(), form_user(), manual_action)


def order_checked(settings: RunbookSettings, identity: Identity, manual_action: ManualAction) -> CheckedOrder:
    """Say whether an order is taken, and as by whom."""
    try:
        return CheckedOrder(order=order_permitted(settings, identity, manual_action))
    except RunbookError as error:
        if error.code in REFUSALS:
            return CheckedOrder(refusal=str(error))
        raise
