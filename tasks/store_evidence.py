"""§3.1 Collect artifacts: what was seen, kept for later runs and for a replay."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.evidence_store import save_run
from tasks.clients.look_history import history_path, remember_look
from tasks.model.diagnosis import Diagnosis, Status
from tasks.model.errors import CannotAct
from tasks.model.evidence import Evidence
from tasks.model.log_findings import LogsLook
from tasks.model.stored_run import StoredRun
from tasks.rules.kept_logs import kept_logs
from tasks.rules.past_looks import past_look
from tasks.settings import RunbookSettings, load_settings


@task(name="store_evidence", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def store_evidence(evidence: Evidence, diagnosis: Diagnosis, logs: LogsLook | None = None) -> str:
    """Keep one line of every run for trends and hysteresis, and the whole evidence of an unhealthy one.

    Runbook: §3.1 Collect artifacts.
    Errors: none; what could not be kept is named, and stops neither telling nor healing.
    """
    return stored_evidence(load_settings(), evidence, diagnosis, logs)


def stored_evidence(
    settings: RunbookSettings, evidence: Evidence, diagnosis: Diagnosis, logs: LogsLook | None = None
) -> str:
    """Write both, and say what was kept."""
    service = evidence.context.request.service
    remembered = remember_look(history_path(settings, service), past_look(evidence, diagnosis))
    history = "look remembered" if remembered else "look not remembered: the state directory cannot be written"
    if diagnosis.status is Status.OK:
        return history
    said = kept_logs(logs or LogsLook())
    run = StoredRun(stored_at=datetime.now(UTC), evidence=evidence, diagnosis=diagnosis, logs=said)
    try:
        return f"{history}; evidence kept in {Path(save_run(settings.state_dir, run)).name}"
    except CannotAct as error:
        return f"{history}; {error}"
