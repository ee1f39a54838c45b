"""§1.3 Verify order delivery."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.service.one_pass import service_client
from tasks.clients.service.synthetic_orders import order_probes
from tasks.model.probes.probes import OrderProbe
from tasks.settings import load_settings


@task(name="send_synthetic_order", cache_policy=NO_CACHE, timeout_seconds=35, retries=0)
async def send_synthetic_order(service: str) -> tuple[OrderProbe, ...]:
    """Post one small synthetic order for each asset class and look for its `execution` block.

    Runbook: §1.3 Verify order delivery.
    """
    watched = load_settings().service(service)
    async with service_client(watched) as client:
        return await order_probes(client, watched)
