"""§1.2 Quick health checks: `GET /health`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.observe import looking
from tasks.clients.order_service import health_look
from tasks.model.looks import HealthLook
from tasks.settings import load_settings


@task(name="probe_health", cache_policy=NO_CACHE, timeout_seconds=35)
async def probe_health(service: str) -> HealthLook:
    """Ask `GET /health` once, as a client would.

    Runbook: §1.2 Quick health checks.
    """
    watched = load_settings().service(service)
    async with looking(watched) as client:
        return await health_look(client, watched)
