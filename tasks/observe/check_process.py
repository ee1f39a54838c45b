"""§1.2 Quick health checks: process status."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.probes.processes import ProcessCheck
from tasks.settings import load_settings
from tasks.work.triage.probe_pass import process_seen


@task(name="check_process", cache_policy=NO_CACHE, timeout_seconds=10)
async def check_process(service: str) -> ProcessCheck:
    """Look at the server's process: pid, state, memory, CPU, open files, threads, age, on any platform.

    Runbook: §1.2 Process status.
    """
    return await process_seen(load_settings().service(service))
