"""Safety rule 3: give the service's lock back."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.service_lock import release
from tasks.model.remediation import Lease
from tasks.settings import load_settings


@task(name="release_service", cache_policy=NO_CACHE, timeout_seconds=10, retries=0)
def release_service(lease: Lease) -> None:
    """Give the lock back; a run that dies gives it back by dying.

    Runbook: §2, after any action.
    """
    release(load_settings().state_dir, lease)
