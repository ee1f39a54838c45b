"""What every supervisor holds to: which process may be stopped, whose the port is, and when a start counts."""

import socket
import time
from collections.abc import Callable

from tasks.clients.commands import Surroundings
from tasks.clients.process_look import is_local, is_ours
from tasks.clients.processes import identify, is_running, open_process, port_owner, process_name, terminate
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.processes import ProcessIdentity, ProcessLook, ProcessState
from tasks.settings import ServiceSettings

POLL_S = 0.05
CONNECT_S = 0.2


def process_to_stop(service: ServiceSettings, look: ProcessLook) -> ProcessIdentity | None:
    """Identify the process that may be stopped, once more and at this moment; None where none is left.

    Errors: `PROCESS_UNREADABLE` where nobody could look, `NOT_OUR_PROCESS` for a process that is not surely the
    service's by now. Nothing was signalled then.
    """
    if look.state is ProcessState.BLIND:
        raise NothingDone(Code.PROCESS_UNREADABLE, f"expected a process that can be seen was blind: {look.detail}")
    process = open_process(look.identity) if look.identity else None
    if process is None:
        return None
    if not is_ours(service, process):
        detail = (
            f"expected pid={process.pid} to match process_pattern and port={service.port} was {process_name(process)}; "
            "nothing was signalled, correct pid_file or process_pattern"
        )
        raise NothingDone(Code.NOT_OUR_PROCESS, detail)
    return identify(process.pid)


def refuse_taken_port(service: ServiceSettings) -> None:
    """Refuse a start on a port that somebody listens on; its owner is named, and never ended.

    Errors: `PORT_TAKEN`; nothing was started then.
    """
    if not is_local(service):
        return
    owner = port_owner(service.port)
    if owner is None and not _answers(service):
        return
    who = f"pid={owner.pid} name={process_name(owner)}" if owner else "a process that we may not see"
    detail = f"expected port={service.port} free was taken by {who}; stop that process or move the service"
    raise NothingDone(Code.PORT_TAKEN, detail)


def surroundings(service: ServiceSettings) -> Surroundings:
    """Say where the service's own commands run."""
    return Surroundings(service.start_environment, service.working_directory)


def ended_within(identity: ProcessIdentity | None, wait_s: float) -> bool:
    """Wait until the process is gone, and say whether it is."""
    deadline = time.monotonic() + wait_s
    while identity is not None and is_running(identity):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def kill(service: ServiceSettings, identity: ProcessIdentity, grace_s: float = 0.0) -> None:
    """End the process and its children: ask, wait `grace_s`, then kill.

    Errors: `STILL_ALIVE` when it outlives SIGKILL.
    """
    gone = terminate(identity, grace_s=grace_s, kill_wait_s=service.restart.kill_timeout_s)
    if not gone or is_running(identity):
        raise still_alive(identity)


def still_alive(identity: ProcessIdentity) -> CannotAct:
    """Say that a process could not be ended."""
    return CannotAct(Code.STILL_ALIVE, f"expected the process to end was alive pid={identity.pid}; end it by hand")


def wait_until_ready(
    service: ServiceSettings, is_ready: Callable[[], bool], failure: Callable[[], str | None], every_s: float = POLL_S
) -> None:
    """Wait until the service answers.

    Errors: `START_FAILED` as soon as `failure` says why, `NOT_READY` when the time is up.
    """
    deadline = time.monotonic() + service.restart.start_timeout_s
    while time.monotonic() < deadline:
        failed = failure()
        if failed:
            raise CannotAct(Code.START_FAILED, failed)
        if is_ready():
            return
        time.sleep(every_s)
    limit_s = service.restart.start_timeout_s
    raise CannotAct(Code.NOT_READY, f"expected an answer in start_timeout_s={limit_s:.0f} was none")


def _answers(service: ServiceSettings) -> bool:
    host = (service.base_url.host or "127.0.0.1").strip("[]")
    try:
        with socket.create_connection((host, service.port), CONNECT_S):
            return True
    except OSError:
        return False
