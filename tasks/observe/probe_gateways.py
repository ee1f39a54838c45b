"""§1.2 Quick health checks: the gateways, asked directly."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.probes.probes import GatewayProbe
from tasks.settings import load_settings
from tasks.work.triage.probe_pass import gateway_probes


@task(name="probe_gateways", cache_policy=NO_CACHE, timeout_seconds=35)
async def probe_gateways(service: str) -> tuple[GatewayProbe, ...]:
    """Ask each gateway's own health, so that a dead gateway and a service that cannot reach it differ.

    Runbook: §2.1 If a dependency is unreachable.
    """
    return await gateway_probes(load_settings().service(service))
