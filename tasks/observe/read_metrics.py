"""§1.2 Quick health checks: `GET /metrics`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.service.metrics import metrics_probe
from tasks.clients.service.one_pass import service_client
from tasks.model.probes.probes import MetricsProbe
from tasks.settings import load_settings


@task(name="read_metrics", cache_policy=NO_CACHE, timeout_seconds=35)
async def read_metrics(service: str) -> MetricsProbe:
    """Read the orders count and the other metrics once.

    Runbook: §1.2 Orders count and other custom metrics.
    """
    watched = load_settings().service(service)
    async with service_client(watched) as client:
        return await metrics_probe(client, watched)
