"""Replace the process of a watched service by a new one: stop the one that was looked at, start, wait for an answer."""

from tasks.clients.acting import Done
from tasks.clients.readiness import answers_health
from tasks.clients.supervisor import start_service, stop_service
from tasks.model.errors import CannotAct
from tasks.model.incident import Outcome
from tasks.model.processes import ProcessLook, ProcessState
from tasks.settings import ServiceSettings


def replaced(service: ServiceSettings, process: ProcessLook) -> Done:
    """Stop the process, if there is one, and start the service.

    Runbook: §2.1 Restart if hung.
    Errors: none; a stop or start that fails midway is *unknown*, and goes to a person.
    """
    identity = process.identity
    try:
        if identity is not None:
            cannot_drain = process.state is ProcessState.STOPPED
            stop_service(
                identity, 0 if cannot_drain else service.restart.drain_timeout_s, service.restart.kill_timeout_s
            )
        new = start_service(service, lambda: answers_health(service))
    except CannotAct as error:
        return Done(outcome=Outcome.UNKNOWN, detail=str(error))
    was = f"pid={identity.pid} ended" if identity else "nothing was left to end"
    return Done(outcome=Outcome.DONE, detail=f"{was}; pid={new.pid} started and answers")
