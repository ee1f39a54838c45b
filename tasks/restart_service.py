"""§2.1 Restart if hung."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import append
from tasks.clients.observe import observe
from tasks.clients.processes import own_pid
from tasks.clients.readiness import answers_health
from tasks.clients.restart_guards import restart_verdict
from tasks.clients.supervisor import supervisor_of
from tasks.model.errors import CannotAct, NothingDone
from tasks.model.evidence import Context, Evidence, TriageRequest
from tasks.model.incident import Action, Event, IncidentState, Outcome
from tasks.model.looks import Observation
from tasks.model.processes import ProcessLook
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.model.verdicts import GuardCode
from tasks.rules.diagnosis import name_cause
from tasks.rules.incident_changes import record_of
from tasks.settings import RunbookSettings, ServiceSettings, load_settings


@task(name="restart_service", cache_policy=NO_CACHE, timeout_seconds=600, retries=0)
async def restart_service(case: RemediationCase) -> ActionResult:
    """Restart the service once: look again, record, stop, start, wait until it answers.

    Runbook: §2.1 Restart if hung.
    Errors: `LEDGER_UNWRITABLE` before anything is done. A stop or start that fails midway is an outcome *unknown*:
    it is recorded, never tried again by itself, and goes to a person.
    Steps: 1. look again 2. weigh again 3. record the start 4. drain, then kill 5. start, and wait for an answer
    6. record the end.
    """
    return await restarted(load_settings(), case)


async def restarted(settings: RunbookSettings, case: RemediationCase) -> ActionResult:
    """Carry the restart out under the lock that the caller holds."""
    watched = settings.service(case.service)
    seen = await observe(watched)
    if not still_failing(case, seen):
        return _refused(GuardCode.CLEARED, f"the last look found it otherwise: {seen.process.detail}")
    verdict = restart_verdict(settings, case, datetime.now(UTC))
    if not verdict.allowed:
        return _refused(verdict.code, verdict.detail)
    started_at = datetime.now(UTC)
    key = f"{case.incident_id}/{Action.RESTART_SERVICE}/{started_at:%Y%m%dT%H%M%S.%fZ}"
    _record(settings, case, Event.ACTION_STARTED, key, {"owner_pid": own_pid(), "mode": case.mode})
    outcome, detail = _replace_process(watched, case.process)
    _record(settings, case, Event.ACTION_FINISHED, key, {"outcome": outcome, "detail": detail})
    return ActionResult(
        action=Action.RESTART_SERVICE,
        outcome=outcome,
        detail=detail,
        key=key,
        started_at=started_at,
        finished_at=datetime.now(UTC),
    )


def still_failing(case: RemediationCase, seen: Observation) -> bool:
    """Say whether the very cause is still there in one more look, in the very process (safety rule 1).

    A process that somebody else has started meanwhile is not the one that was found hung or gone: it is left alone.
    """
    context = Context(request=TriageRequest(service=case.service), looked_at=seen.looked_at, mode=case.mode, late_s=0)
    diagnosis = name_cause(Evidence(context=context, observations=(seen,)))
    return diagnosis.find(case.finding.cause) is not None and seen.process.identity == case.process.identity


def _refused(code: GuardCode, detail: str) -> ActionResult:
    return ActionResult(action=Action.RESTART_SERVICE, outcome=Outcome.REFUSED, code=code, detail=detail)


def _replace_process(watched: ServiceSettings, process: ProcessLook) -> tuple[Outcome, str]:
    supervisor = supervisor_of(watched)
    try:
        ended = supervisor.stop(process)
    except NothingDone as error:
        return Outcome.REFUSED, str(error)
    except CannotAct as error:
        return Outcome.UNKNOWN, str(error)
    try:
        new = supervisor.start(lambda: answers_health(watched))
    except CannotAct as error:
        return Outcome.UNKNOWN, f"{ended}; {error}"
    return Outcome.DONE, f"{ended}; {f'pid={new.pid}' if new else 'the service'} started and answers"


def _record(
    settings: RunbookSettings, case: RemediationCase, event: Event, key: str, details: dict[str, object]
) -> None:
    incident = IncidentState(
        incident_id=case.incident_id,
        service=case.service,
        state=event,
        opened_at=datetime.now(UTC),
        causes=(case.finding.cause,),
    )
    facts: dict[str, object] = {"action": Action.RESTART_SERVICE, "key": key, **details}
    record = record_of(incident, event, datetime.now(UTC), f"{Action.RESTART_SERVICE} {event}", facts)
    append(settings.ledger_path(case.service), [record])
