"""§3.1 Collect artifacts: what was seen, kept for later runs and for a replay."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.evidence.store import save_run, stored_run
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.errors import CannotAct
from tasks.model.evidence.evidence import Evidence
from tasks.model.logs.findings import LogCheck
from tasks.rules.probes.history import past_observation
from tasks.settings import RunbookSettings, load_settings


@task(name="store_evidence", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def store_evidence(evidence: Evidence, diagnosis: Diagnosis, logs: LogCheck | None = None) -> str:
    """Keep one line of every run for trends and hysteresis, and the whole evidence of an unhealthy one.

    Runbook: §3.1 Collect artifacts.
    Errors: none; what could not be kept is named, and stops neither messages nor recovery.
    """
    return stored_evidence(load_settings(), evidence, diagnosis, logs)


def stored_evidence(
    settings: RunbookSettings, evidence: Evidence, diagnosis: Diagnosis, logs: LogCheck | None = None
) -> str:
    """Write both, and say what was kept."""
    service = evidence.context.request.service
    remembered = remember_observation(history_path(settings, service), past_observation(evidence, diagnosis))
    history = "run remembered" if remembered else "run not remembered: the state directory cannot be written"
    if diagnosis.status is Status.OK:
        return history
    run = stored_run(evidence, diagnosis, logs or LogCheck())
    try:
        return f"{history}; evidence kept in {save_run(settings.state_dir, run).name}"
    except CannotAct as error:
        return f"{history}; {error}"
