"""Safety rule 9: evidence first."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import snapshot
from tasks.model.remediation import RemediationCase, Snapshot
from tasks.settings import load_settings


@task(name="take_snapshot", cache_policy=NO_CACHE, timeout_seconds=15, retries=0)
def take_snapshot(case: RemediationCase) -> Snapshot:
    """Keep the process, its stacks, the logs and the ledger as they are, before anything changes them.

    Runbook: §3.1 Collect artifacts.
    Errors: none; a part that could not be kept is named and delays nothing.
    """
    settings = load_settings()
    watched = settings.service(case.service)
    folder = snapshot.snapshot_folder(settings.state_dir, case.plan.actions[0].incident_id, datetime.now(UTC))
    return snapshot.take_snapshot(watched, folder, watched.restart.snapshot_timeout_s)
