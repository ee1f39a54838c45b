"""Safety rule 3: give the service's lock back."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.locks.host_and_server_lock import released
from tasks.model.remediation.remediation import Lease
from tasks.settings import load_settings


@task(name="release_service", cache_policy=NO_CACHE, timeout_seconds=10, retries=0)
async def release_service(lease: Lease) -> None:
    """Give the lock back; a run that dies gives this host's back by dying, and the server's when its lease expires.

    Runbook: §2, after any action.
    """
    fault = await released(load_settings().state_dir, lease)
    if fault:
        get_run_logger().warning("LEASE_NOT_GIVEN_BACK: %s", fault)
