"""Safety rule 3: one lock for each service, across all actions and from every door."""

from prefect import get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.locks.host_and_server_lock import leased
from tasks.clients.process.processes import own_host, own_pid
from tasks.model.remediation.remediation import Lease
from tasks.settings import load_settings


@task(name="lease_service", cache_policy=NO_CACHE, timeout_seconds=10, retries=0)
async def lease_service(service: str) -> Lease:
    """Take the service's lock at once, on this host and on the Prefect server, or say who holds it until when.

    Runbook: §2, before any action.
    A held lock is skipped, never queued for. Without an answer of the server this host's lock counts
    alone, and the run says so.
    """
    owner = f'run "{runtime.flow_run.name}" on {own_host()} (pid {own_pid()})'
    lease = await leased(load_settings().state_dir, service, owner)
    if lease.alone:
        get_run_logger().warning("HOST_LOCK_ALONE: other hosts are not kept from acting: %s", lease.alone)
    return lease
