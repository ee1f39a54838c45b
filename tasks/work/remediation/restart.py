"""Replace the process of a watched service by a new one: stop the one that was checked, start, wait for an answer."""

import asyncio

from tasks.clients.process.listeners import listeners_on
from tasks.clients.process.probe import is_local
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.service import control
from tasks.clients.service.instances import instance_of
from tasks.clients.service.readiness import answers_health
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlOutcome
from tasks.model.probes.processes import ProcessCheck
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.progress import LongStep, Progress, Report, unheard
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def restarted(context: ActionContext, report: Report = unheard) -> ActionOutcome:
    """Let the service take no new orders first, where its description says how; then replace its process.

    Runbook: §2.1 Restart if hung.
    Steps: one that hangs or is down is not asked: it takes none. A drain that fails keeps no restart off, and one that
    was sent to a service that was then not stopped may be in force: *unknown*.
    """
    name, latest = context.planned.target.instance, context.inputs.latest
    service = instance_of(context.service, name) if name else context.service
    drain = None
    if not context.inputs.is_for_a_dead_end(context.planned):
        drain = await control.drain(service, context.why)
    done = await asyncio.to_thread(replaced, service, latest.process_of(name), report)
    if drain is None:
        return done
    words = "drained" if drain.is_done else f"drain: {drain.detail}"
    sent = drain.outcome in {ControlOutcome.DONE, ControlOutcome.UNKNOWN}
    if sent and done.outcome is Outcome.REFUSED:
        detail = f"{words}, and then not stopped: {done.detail}; it may take no orders, verify it at the service"
        return ActionOutcome(outcome=Outcome.UNKNOWN, detail=detail)
    return done.model_copy(update={"detail": f"{words}; {done.detail}"})


def replaced(service: ServiceSettings, process: ProcessCheck, report: Report = unheard) -> ActionOutcome:
    """Stop the process, if there is one, and start the service.

    Runbook: §2.1 Restart if hung.
    A stop or start that fails midway is *unknown*, and goes to a person. A start whose process has ended
    with nobody left on its port has a known end: it did not help.
    """
    supervisor, limits = supervisor_of(service), service.restart
    report(Progress(step=LongStep.STOP, of=limits.drain_timeout_s + limits.kill_timeout_s, ticks=True))
    try:
        ended = supervisor.stop(process)
    except NothingDone as error:
        return ActionOutcome(outcome=Outcome.REFUSED, detail=str(error), code=GuardCode.NOT_AVAILABLE)
    except CannotAct as error:
        return ActionOutcome(outcome=Outcome.UNKNOWN, detail=str(error))
    report(Progress(step=LongStep.START, of=limits.start_timeout_s, ticks=True))
    try:
        new = supervisor.start(lambda: answers_health(service))
    except CannotAct as error:
        outcome = Outcome.NOT_RECOVERED if _start_ended(service, error) else Outcome.UNKNOWN
        return ActionOutcome(outcome=outcome, detail=f"{ended}; {error}")
    return ActionOutcome(
        outcome=Outcome.DONE, detail=f"{ended}; {f'pid={new.pid}' if new else 'the service'} started and answers"
    )


def _start_ended(service: ServiceSettings, error: CannotAct) -> bool:
    """Say whether nothing is left of a start that failed: its process ended, and nobody took the port."""
    return error.code is Code.START_FAILED and is_local(service) and listeners_on(service.port) == ((), False)
