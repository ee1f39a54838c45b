"""Safety rule 3: one lock for each service, across all actions and from every door."""

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.processes import own_pid
from tasks.clients.service_lock import take
from tasks.model.remediation import Lease
from tasks.settings import load_settings


@task(name="lease_service", cache_policy=NO_CACHE, timeout_seconds=10, retries=0)
def lease_service(service: str) -> Lease:
    """Take the service's lock at once, or say who holds it; a held lock is skipped, never queued for.

    Runbook: §2, before any action.
    """
    owner = f"flow_run={runtime.flow_run.name} pid={own_pid()}"
    return take(load_settings().state_dir, service, owner)
