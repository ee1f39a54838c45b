"""§1.2 Quick health checks: `GET /health`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.service.one_pass import service_client
from tasks.clients.service.probes import health_once
from tasks.model.probes.probes import HealthProbe
from tasks.settings import load_settings


@task(name="probe_health", cache_policy=NO_CACHE, timeout_seconds=35)
async def probe_health(service: str) -> HealthProbe:
    """Ask `GET /health` once, as a client would.

    Runbook: §1.2 Quick health checks.
    """
    watched = load_settings().service(service)
    async with service_client(watched) as client:
        return await health_once(client, watched)
