"""Replace the process of a watched service by a new one: stop the one that was looked at, start, wait for an answer."""

from tasks.clients.acting import Done
from tasks.clients.listening import listeners_on
from tasks.clients.process_look import is_local
from tasks.clients.readiness import answers_health
from tasks.clients.supervisor import supervisor_of
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.incident import Outcome
from tasks.model.processes import ProcessLook
from tasks.model.progress import LongStep, Progress, Report, unheard
from tasks.model.verdicts import GuardCode
from tasks.settings import ServiceSettings


def replaced(service: ServiceSettings, process: ProcessLook, report: Report = unheard) -> Done:
    """Stop the process, if there is one, and start the service.

    Runbook: §2.1 Restart if hung.
    Errors: none; a stop or start that fails midway is *unknown*, and goes to a person. A start whose process has ended
    with nobody left on its port has a known end: it did not help.
    """
    supervisor, limits = supervisor_of(service), service.restart
    report(Progress(step=LongStep.STOP, of=limits.drain_timeout_s + limits.kill_timeout_s, ticks=True))
    try:
        ended = supervisor.stop(process)
    except NothingDone as error:
        return Done(outcome=Outcome.REFUSED, detail=str(error), code=GuardCode.NOT_AVAILABLE)
    except CannotAct as error:
        return Done(outcome=Outcome.UNKNOWN, detail=str(error))
    report(Progress(step=LongStep.START, of=limits.start_timeout_s, ticks=True))
    try:
        new = supervisor.start(lambda: answers_health(service))
    except CannotAct as error:
        outcome = Outcome.NOT_RECOVERED if _start_ended(service, error) else Outcome.UNKNOWN
        return Done(outcome=outcome, detail=f"{ended}; {error}")
    return Done(
        outcome=Outcome.DONE, detail=f"{ended}; {f'pid={new.pid}' if new else 'the service'} started and answers"
    )


def _start_ended(service: ServiceSettings, error: CannotAct) -> bool:
    """Say whether nothing is left of a start that failed: its process ended, and nobody took the port."""
    return error.code is Code.START_FAILED and is_local(service) and listeners_on(service.port) == ((), False)
