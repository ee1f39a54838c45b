"""§1.2 Quick health checks: process status."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.process_look import process_look
from tasks.model.processes import ProcessLook
from tasks.settings import load_settings


@task(name="check_process", cache_policy=NO_CACHE, timeout_seconds=10)
async def check_process(service: str) -> ProcessLook:
    """Look at the server's process: pid, state, memory, CPU, open files, threads, age, on any platform.

    Runbook: §1.2 Process status.
    """
    return await process_look(load_settings().service(service))
