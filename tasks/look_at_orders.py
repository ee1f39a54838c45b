"""§2.1, §2.2 Before an action that disrupts: which orders are not proven?"""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.order_states import proven_within
from tasks.model.order_states import OrderStates
from tasks.settings import load_settings


@task(name="look_at_orders", cache_policy=NO_CACHE, timeout_seconds=90, retries=0)
async def look_at_orders(service: str, wait_s: float = 0.0) -> OrderStates:
    """List the orders whose outcome is not proven, and say whether a disruptive action may go on (safety rule 5).

    Runbook: §2.1, §2.2 Before a restart, a re-route or a rollback.
    Units: `wait_s` bounds the asking again, at most 60 s; 0 looks once.
    Errors: none of the service's; what could not be listed is blind, and nothing is ever sent again.
    """
    return await proven_within(load_settings().service(service), wait_s)
