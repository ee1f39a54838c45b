"""What every supervisor holds to: which process may be stopped, whose the port is, and when a start counts."""

import socket
import time
from collections.abc import Callable

from tasks.clients.process.commands import Surroundings
from tasks.clients.process.listeners import listeners_on
from tasks.clients.process.marks import SERVICE_MARK
from tasks.clients.process.ownership import Family, others_on_port, whose_is
from tasks.clients.process.probe import is_local
from tasks.clients.process.processes import identity_of, is_running, open_process, port_owner, process_name, terminate
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import UNSEEN, ProcessCheck, ProcessIdentity
from tasks.model.remediation.supervision import SupervisorName
from tasks.model.service.process_settings import SeenBy
from tasks.rules.process.ownership import INIT_PID, Whose
from tasks.settings import ServiceSettings

POLL_S = 0.05
CONNECT_S = 0.2


MAY_BE_STOPPED = frozenset({Whose.OURS, Whose.CONTAINED})


def process_to_stop(service: ServiceSettings, look: ProcessCheck) -> ProcessIdentity | None:
    """Identify the process that may be stopped, once more and at this moment; None where none is left.

    Errors: `PROCESS_UNREADABLE` where nobody could look, `NOT_OUR_PROCESS` for a process that is not surely the
    service's by now (safety rule 16). Nothing was signalled then.
    """
    if look.state in UNSEEN or service.process.seen_by is not SeenBy.LOCAL:
        raise NothingDone(Code.PROCESS_UNREADABLE, f"expected a process that can be seen, found none: {look.detail}")
    process = open_process(look.identity) if look.identity else None
    if process is None:
        return None
    found = whose_is(service, process)
    if found not in MAY_BE_STOPPED:
        detail = (
            f"expected pid={process.pid} to match process_pattern and port={service.port}, found "
            f"{process_name(process)} ({found}); nothing was signalled, correct pid_file or process_pattern"
        )
        raise NothingDone(Code.NOT_OUR_PROCESS, detail)
    return identity_of(process)


def refuse_unendable(service: ServiceSettings, identity: ProcessIdentity) -> None:
    """Refuse a stop after which the service could not start: it is in a container, or somebody else keeps its port.

    Errors: `NOT_OUR_PROCESS`, `PORT_TAKEN`; nothing was signalled then.
    """
    process = open_process(identity)
    if process is None:
        return
    if whose_is(service, process) is Whose.CONTAINED:
        detail = (
            f"expected pid={process.pid} outside of containers, found it in one; nothing was signalled, "
            "set supervisor=command with the container's own commands"
        )
        raise NothingDone(Code.NOT_OUR_PROCESS, detail)
    others = ", ".join(f"pid={pid}" for pid in others_on_port(service, process))
    if others:
        detail = f"expected port={service.port} held by pid={process.pid} alone, found it also held by {others}"
        raise NothingDone(Code.PORT_TAKEN, f"{detail}; nothing was signalled, set supervisor=systemd or command")


def refuse_taken_port(service: ServiceSettings) -> None:
    """Refuse a start on a port that somebody listens on; its owner is named, and never ended.

    Errors: `PORT_TAKEN`; nothing was started then.
    """
    if not is_local(service):
        return
    owner = port_owner(service.port)
    if owner is None and not listeners_on(service.port).unseen and not _answers(service):
        return
    if owner is not None and service.supervisor is not SupervisorName.PSUTIL and owner.pid == INIT_PID:
        # A socket unit: systemd holds the port for the service, and hands it over.
        return
    owner = owner or port_owner(service.port)
    who = f"pid={owner.pid} name={process_name(owner)}" if owner else "a process that we may not see"
    detail = f"expected port={service.port} free, found it taken by {who}; stop that process or move the service"
    raise NothingDone(Code.PORT_TAKEN, detail)


def surroundings(service: ServiceSettings) -> Surroundings:
    return Surroundings({SERVICE_MARK: service.url, **service.start_environment}, service.working_directory)


def ended_within(identity: ProcessIdentity | None, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while identity is not None and is_running(identity):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def kill(service: ServiceSettings, identity: ProcessIdentity, grace_s: float = 0.0) -> None:
    """End the process and the rest of the service's own session or group: ask, wait `grace_s`, then kill.

    Errors: `STILL_ALIVE` when it outlives SIGKILL.
    """
    process = open_process(identity)
    if process is None:
        return
    family = Family(service, process)
    gone = terminate(identity, grace_s=grace_s, kill_wait_s=service.restart.kill_timeout_s, family=family)
    if not gone or is_running(identity):
        raise still_alive(identity)


def end_started(service: ServiceSettings, identity: ProcessIdentity) -> None:
    """End what we started ourselves and what did not come up, with the rest of the session that it leads."""
    process = open_process(identity)
    if process is not None:
        terminate(identity, grace_s=0, family=Family(service, process))


def still_alive(identity: ProcessIdentity) -> CannotAct:
    return CannotAct(Code.STILL_ALIVE, f"expected the process to end, found pid={identity.pid} alive; end it yourself")


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
    raise CannotAct(Code.NOT_READY, f"expected an answer in start_timeout_s={limit_s:.0f}, found none")


def _answers(service: ServiceSettings) -> bool:
    host = (service.base_url.host or "127.0.0.1").strip("[]")
    try:
        with socket.create_connection((host, service.port), CONNECT_S):
            return True
    except OSError:
        return False
