"""§1.2 Quick health checks: `GET /metrics`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.metrics_look import metrics_look
from tasks.clients.observe import looking
from tasks.model.looks import MetricsLook
from tasks.settings import load_settings


@task(name="read_metrics", cache_policy=NO_CACHE, timeout_seconds=35)
async def read_metrics(service: str) -> MetricsLook:
    """Read the orders count and the other metrics once.

    Runbook: §1.2 Orders count and other custom metrics.
    """
    watched = load_settings().service(service)
    async with looking(watched) as client:
        return await metrics_look(client, watched)
