"""Safety rule 9: evidence first."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.model.remediation.remediation import EvidenceSnapshot, RemediationCase
from tasks.settings import load_settings
from tasks.work.remediation.evidence_snapshot import evidence_kept


@task(name="take_snapshot", cache_policy=NO_CACHE, timeout_seconds=15, retries=0)
def take_snapshot(case: RemediationCase) -> EvidenceSnapshot:
    """Keep the process, its stacks, the logs and the ledger as they are, before anything changes them.

    Runbook: §3.1 Collect artifacts.
    A part that could not be kept is named and delays nothing.
    """
    return evidence_kept(load_settings(), case)
