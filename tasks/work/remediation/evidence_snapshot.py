"""Safety rule 9: evidence first. Keep what an action is about to change."""

from datetime import UTC, datetime

from tasks.clients.evidence import snapshot
from tasks.clients.service.instances import instance_of
from tasks.model.remediation.remediation import EvidenceSnapshot, RemediationCase
from tasks.settings import RunbookSettings


def evidence_kept(settings: RunbookSettings, case: RemediationCase) -> EvidenceSnapshot:
    """Keep the process, its stacks, the logs and the ledger as they are, before anything changes them."""
    watched, instance = settings.service(case.service), case.plan.actions[0].target.instance
    watched = instance_of(watched, instance) if instance else watched
    folder = snapshot.snapshot_folder(settings.state_dir, case.plan.actions[0].incident_id, datetime.now(UTC))
    return snapshot.take_snapshot(watched, folder, watched.restart.snapshot_timeout_s)
