"""Execute one planned action: check again, evaluate again, write it down, do it, write down how it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from tasks.clients.incidents.ledger import append, append_or_keep
from tasks.clients.process.processes import own_pid
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import TIGHTENERS, Action, Event, IncidentState, Outcome
from tasks.model.probes.control import ControlReason
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.model.values import Value
from tasks.rules.incidents.transitions import record_of
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.recheck import recheck
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.guard_inputs import guard_inputs_now

# What set the changes of the automation, as the control plane and the desk read it.
SET_BY = "triage"
# What tightens waits for no lock of the ledger before it is sent: its record does (safety rule 8). Units: seconds.
NO_PATIENCE_S, TIGHTENING_PATIENCE_S = 0.0, 0.2
LEDGER_FAULTS = frozenset({Code.LEDGER_UNREADABLE, Code.LEDGER_UNWRITABLE})


class ActionOutcome(Value):
    """What became of the action itself: done, refused (provably nothing happened), or unknown."""

    outcome: Outcome
    detail: str
    code: GuardCode | None = None


class ActionContext(NamedTuple):
    """What an action function works with: the service, the action, the inputs that allowed it, who wants it and why."""

    service: ServiceSettings
    planned: PlannedAction
    inputs: GuardInputs
    why: ControlReason


ActionFunction = Callable[[ActionContext], Awaitable[ActionOutcome]]


async def execute(
    settings: RunbookSettings, case: RemediationCase, planned: PlannedAction, action_function: ActionFunction
) -> ActionResult:
    """Carry an action out under the lock that the caller holds.

    Runbook: §2 Remediation.
    Errors: none of the ledger: what cannot be recorded is refused before anything is done, unless it tightens: that is
    done, and recorded once that is possible. So is the end of everything that was begun.
    Steps: 1. check again 2. evaluate again 3. record the start 4. act, once 5. record the end
    """
    try:
        inputs = await guard_inputs_now(settings, case, planned)
        verdict = _judged(case, planned, inputs)
        if not verdict.allowed:
            return refused(planned, verdict.code, verdict.detail)
        begun = _begun(planned).model_copy(update={"verdict": verdict})
        context = ActionContext(settings.service(case.service), begun, inputs, _reason(case, begun))
        started_at = datetime.now(UTC)
        why = _why(case, begun, verdict.detail)
        _record(settings, case, begun, Event.ACTION_STARTED, {"owner_pid": own_pid(), **why})
    except RunbookError as error:
        if error.code not in LEDGER_FAULTS:
            raise
        return refused(planned, GuardCode.NOT_RECORDED, f"what cannot be recorded is not done: {error}")
    done = await _ended(
        action_function(context), lambda end: _record(settings, case, begun, Event.ACTION_FINISHED, end)
    )
    return ActionResult(
        planned=begun,
        outcome=done.outcome,
        detail=done.detail,
        code=done.code,
        started_at=started_at,
        finished_at=datetime.now(UTC),
    )


def _judged(case: RemediationCase, planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    verdict = recheck(planned, inputs, case.process_of(planned.target.instance).identity)
    return evaluate(planned, inputs) if verdict.allowed else verdict


async def _ended(
    action_function: Awaitable[ActionOutcome], record: Callable[[dict[str, object]], str]
) -> ActionOutcome:
    """Wait for the end of an action and write it down, also that of one which was cut off or broke midway."""
    try:
        done = await action_function
    except BaseException as error:
        canceled = isinstance(error, asyncio.CancelledError)
        why = "its run was canceled" if canceled else f"{type(error).__name__}: {error}"
        detail = f"cut off midway, {why[:300]}".rstrip(": ")
        record({"outcome": Outcome.UNKNOWN, "detail": detail})
        raise
    fault = record({"outcome": done.outcome, "detail": done.detail})
    return done.model_copy(update={"detail": f"{done.detail}; not recorded yet, {fault}"}) if fault else done


def refused(planned: PlannedAction, code: GuardCode, detail: str) -> ActionResult:
    return ActionResult(planned=planned, outcome=Outcome.REFUSED, code=code, detail=detail)


def _begun(planned: PlannedAction) -> PlannedAction:
    """Give a restart a key of its own: one incident may see several, and each is counted."""
    if planned.action is not Action.RESTART_SERVICE:
        return planned
    return planned.model_copy(update={"key": f"{planned.key}/{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"})


def _reason(case: RemediationCase, planned: PlannedAction) -> ControlReason:
    """Say who changes what and why, before anything is recorded; a name that nobody can see is no reason to fail."""
    try:
        return ControlReason(reason=_why_words(case, planned), set_by=case.asked.by if case.asked else SET_BY)
    except ValidationError:
        return ControlReason(reason=f"{planned.words}, no readable reason given", set_by="a person without a name")


def _why_words(case: RemediationCase, planned: PlannedAction) -> str:
    if case.asked is not None:
        return f"{case.asked.reason} ({planned.incident_id})"
    return f"{planned.why}, {planned.incident_id}"


def _why(case: RemediationCase, planned: PlannedAction, allowed_by: str) -> dict[str, object]:
    details: dict[str, object] = {"target": planned.target.words, "why": planned.why, "allowed_by": allowed_by}
    if planned.finding is not None:
        details["cause"] = planned.finding.cause
        for incident in case.incidents:
            if incident.incident_id == planned.incident_id:
                details["trouble_since"] = incident.trouble_since.isoformat()
    if case.asked is not None:
        passed_by = list(planned.verdict.passed_by)
        details |= {"asked_by": case.asked.by, "reason": case.asked.reason, "passed_by": passed_by}
    if case.approval is not None:
        details |= {"approval": case.approval.answer, "answered_by": case.approval.by}
    if case.lock:
        details["lock"] = case.lock
    return details


def _record(
    settings: RunbookSettings, case: RemediationCase, planned: PlannedAction, event: Event, details: dict[str, object]
) -> str:
    """Record the beginning or the end of an action; say why it is not in the ledger yet, if so."""
    incident = IncidentState(
        incident_id=planned.incident_id,
        service=case.service,
        state=event,
        opened_at=datetime.now(UTC),
        causes=(planned.finding.cause,) if planned.finding else (),
    )
    named = {"action": planned.action, "key": planned.key, **details}
    record = record_of(incident, event, datetime.now(UTC), f"{planned.words} {event}", named)
    ledger = settings.ledger(case.service)
    if planned.action in TIGHTENERS:
        patience_s = NO_PATIENCE_S if event is Event.ACTION_STARTED else TIGHTENING_PATIENCE_S
        return append_or_keep(ledger, [record], patience_s).detail
    if event is Event.ACTION_FINISHED:
        return append_or_keep(ledger, [record]).detail
    append(ledger, [record])
    return ""
