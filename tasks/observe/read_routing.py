"""§2.2 Orders fail to route: the router's configuration."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.service.one_pass import service_client
from tasks.clients.service.routing import routing_probe
from tasks.model.probes.probes import RoutingProbe
from tasks.settings import load_settings


@task(name="read_routing", cache_policy=NO_CACHE, timeout_seconds=35)
async def read_routing(service: str) -> RoutingProbe:
    """Read where each asset class goes, who set it, and whether the table on disk is sound.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    """
    watched = load_settings().service(service)
    async with service_client(watched) as client:
        return await routing_probe(client, watched)
