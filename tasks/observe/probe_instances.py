"""§1.2 Quick health checks: each instance of a service that has several, at its own address."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.probes.probes import InstanceProbe
from tasks.settings import load_settings
from tasks.work.triage.probe_pass import instance_probes


@task(name="probe_instances", cache_policy=NO_CACHE, timeout_seconds=35)
async def probe_instances(service: str) -> tuple[InstanceProbe, ...]:
    """Ask each instance for its health and metrics, and look at its process: one in trouble is not the service.

    Runbook: §1.2 Quick health checks.
    """
    return await instance_probes(load_settings().service(service))
