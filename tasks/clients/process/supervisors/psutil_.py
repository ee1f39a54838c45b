"""The service as a process of our own making: the one piece of code for its first start and for every restart."""

import subprocess
from collections.abc import Callable

from tasks.clients.process.commands import last_lines, program_fault, reap, spawn, start_output
from tasks.clients.process.probe import is_local, why_unseen
from tasks.clients.process.processes import identify
from tasks.clients.process.supervisors.supervised import (
    end_started,
    kill,
    process_to_stop,
    refuse_taken_port,
    refuse_unendable,
    surroundings,
    wait_until_ready,
)
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.settings import ServiceSettings


class PsutilSupervisor:
    """Signal the process itself and start it again; on any platform, without anything installed."""

    def __init__(self, service: ServiceSettings) -> None:
        self._service = service

    def available(self) -> Verdict:
        """Say whether the service could be started again, before anything is stopped."""
        service = self._service
        if not service.start_command:
            return Verdict.no(GuardCode.NOT_AVAILABLE, "no start_command; a person restarts it")
        if not is_local(service):
            detail = f"{why_unseen(service)}; set supervisor=command, or a person restarts it"
            return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
        fault = program_fault(service.start_command, surroundings(service))
        return Verdict.no(GuardCode.NOT_AVAILABLE, f"{fault}; correct start_command") if fault else Verdict.yes()

    def stop(self, process: ProcessCheck) -> str:
        """Drain, then kill; a stopped process cannot drain, and it is not continued to send its waiting orders late."""
        identity = process_to_stop(self._service, process)
        if identity is None:
            return "nothing was left to end"
        refuse_unendable(self._service, identity)
        stopped = process.state is ProcessState.STOPPED
        kill(self._service, identity, 0.0 if stopped else self._service.restart.drain_timeout_s)
        reap()
        return f"pid={identity.pid} ended"

    def start(self, is_ready: Callable[[], bool]) -> ProcessIdentity:
        return start_service(self._service, is_ready)


def start_service(service: ServiceSettings, is_ready: Callable[[], bool]) -> ProcessIdentity:
    """Start the service in a session of its own, so that it outlives the flow run that starts it, and wait for it.

    Runbook: §2.1 Restart if hung.
    Errors: `NO_START_COMMAND`; `PORT_TAKEN` names the owner, which is never killed; `START_FAILED` and `NOT_READY`
    carry the last lines that it wrote. A start that failed leaves no process behind.
    """
    if not service.start_command:
        raise NothingDone(Code.NO_START_COMMAND, "expected start_command, found empty; set it to an argument list")
    refuse_taken_port(service)
    process = _spawn(service)
    identity = identify(process.pid)
    if identity is None:
        raise CannotAct(Code.START_FAILED, _exit_story(service, process))
    try:
        wait_until_ready(service, is_ready, lambda: _failure(service, process))
    except BaseException as error:
        end_started(service, identity)
        if isinstance(error, CannotAct) and error.code is Code.NOT_READY:
            raise CannotAct(error.code, f"{error.detail}; last lines: {last_lines(service.start_log)}") from None
        raise
    return identity


def _spawn(service: ServiceSettings) -> "subprocess.Popen[bytes]":
    try:
        with start_output(service.start_log, "ab") as output:
            return spawn(service.start_command, surroundings(service), output)
    except (OSError, ValueError) as error:
        raise CannotAct(Code.START_FAILED, f"cannot run start_command: {error}; correct it") from None


def _failure(service: ServiceSettings, process: "subprocess.Popen[bytes]") -> str | None:
    return None if process.poll() is None else _exit_story(service, process)


def _exit_story(service: ServiceSettings, process: "subprocess.Popen[bytes]") -> str:
    return f"expected a running service, found exit_code={process.wait()}; last lines: {last_lines(service.start_log)}"
