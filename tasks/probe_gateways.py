"""§1.2 Quick health checks: the gateways, asked directly."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.observe import gateway_looks, looking
from tasks.model.looks import GatewayLook
from tasks.settings import load_settings


@task(name="probe_gateways", cache_policy=NO_CACHE, timeout_seconds=35)
async def probe_gateways(service: str) -> tuple[GatewayLook, ...]:
    """Ask each gateway's own health, so that a dead gateway and a service that cannot reach it differ.

    Runbook: §2.1 If a dependency is unreachable.
    """
    watched = load_settings().service(service)
    async with looking(watched) as client:
        return await gateway_looks(client, watched)
