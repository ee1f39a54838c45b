"""The service under any other supervisor: its own commands start and stop it, and we look at what they did."""

import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import IO

from tasks.clients.process.commands import (
    CommandEnd,
    one_line,
    program_fault,
    reap,
    run_command,
    spawn,
    start_output,
    tail,
)
from tasks.clients.process.probe import is_local, service_identity, why_unseen
from tasks.clients.process.processes import identify
from tasks.clients.process.supervisors.supervised import (
    end_started,
    ended_within,
    kill,
    process_to_stop,
    refuse_taken_port,
    surroundings,
    wait_until_ready,
)
from tasks.clients.process.supervisors.supervisor_state import ask_status
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.process.supervisor_status import Supervised
from tasks.settings import ServiceSettings

STATUS_EVERY_S = 0.2


class CommandSupervisor:
    """Run `stop_command` and `start_command`; a service on another host is proven stopped by `status_command`."""

    def __init__(self, service: ServiceSettings) -> None:
        self._service = service
        self._where = surroundings(service)

    def available(self) -> Verdict:
        """Say whether the commands could be run, before anything is stopped."""
        service = self._service
        keys = {"start_command": service.start_command, "stop_command": service.stop_command}
        if service.status_command:
            keys["status_command"] = service.status_command
        for key, command in keys.items():
            fault = program_fault(command, self._where)
            if fault:
                return Verdict.no(GuardCode.NOT_AVAILABLE, f"{fault}; correct {key}")
        if not is_local(service) and not service.status_command:
            detail = f"{why_unseen(service)}; set status_command, or nobody can tell that it stopped"
            return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
        return Verdict.yes()

    def stop(self, process: ProcessCheck) -> str:
        """Stop the service: by its command, then by killing the very process that was looked at.

        Errors: `STOP_FAILED` with what the command wrote; `STILL_ALIVE`.
        Steps: 1. without a process that is surely the service's nothing is run: the command may go by a pid file or by
        a port, and these may be somebody else's by now 2. a stopped process is killed first: some supervisors continue
        what they ask to end, and orders that waited in it would be sent late 3. the command 4. what does not end in
        time is killed.
        """
        if not is_local(self._service):
            return self._stop_elsewhere()
        identity = process_to_stop(self._service, process)
        if identity is None:
            return "nothing was left to end"
        if process.state is ProcessState.STOPPED:
            kill(self._service, identity)
        asked = self._ask_to_stop()
        if not ended_within(identity, self._service.restart.drain_timeout_s if asked.succeeded else 0.0):
            if asked.exit_code:
                detail = f"expected stop_command to end pid={identity.pid}, found {asked.story}"
                raise CannotAct(Code.STOP_FAILED, detail)
            kill(self._service, identity)
        reap()
        return f"pid={identity.pid} ended"

    def start(self, is_ready: Callable[[], bool]) -> ProcessIdentity | None:
        """Run `start_command`, and wait until the service answers; the command may end before, or be the service.

        Errors: `PORT_TAKEN`; `START_FAILED` and `NOT_READY` with what the command wrote. A command that still runs is
        then ended; what it left behind is its supervisor's.
        """
        refuse_taken_port(self._service)
        with self._output() as output:
            try:
                process = spawn(self._service.start_command, self._where, output)
            except (OSError, ValueError) as error:
                raise CannotAct(Code.START_FAILED, f"cannot run start_command: {error}; correct it") from None
            identity = identify(process.pid)
            try:
                wait_until_ready(self._service, lambda: is_ready() and self._runs(), lambda: _failure(process))
            except BaseException as error:
                if identity is not None:
                    end_started(self._service, identity)
                if isinstance(error, CannotAct):
                    raise CannotAct(error.code, f"{error.detail}; {self._story(output)}") from None
                raise
        return service_identity(self._service)

    def _ask_to_stop(self) -> CommandEnd:
        timeout_s = self._service.restart.drain_timeout_s + self._service.restart.kill_timeout_s
        asked = run_command(self._service.stop_command, timeout_s, self._where)
        if not asked.ran:
            raise NothingDone(Code.STOP_FAILED, f"{asked.fault}; correct stop_command")
        return asked

    def _stop_elsewhere(self) -> str:
        asked = self._ask_to_stop()
        if not asked.succeeded:
            raise CannotAct(Code.STOP_FAILED, f"expected stop_command to end with 0, found {asked.story}")
        state, status = self._stopped_within(self._service.restart.kill_timeout_s)
        if state is not Supervised.STOPPED:
            detail = f"expected status_command to say stopped, found {state}: {status.story}; stop the service yourself"
            raise CannotAct(Code.STILL_ALIVE, detail)
        return f"stop_command ended with 0, status_command with {status.exit_code}"

    def _stopped_within(self, wait_s: float) -> tuple[Supervised, CommandEnd]:
        """Ask until it is stopped: some supervisors answer before they have done it."""
        deadline = time.monotonic() + wait_s
        while True:
            state, status = ask_status(self._service)
            if state is Supervised.STOPPED or time.monotonic() >= deadline:
                return state, status
            time.sleep(STATUS_EVERY_S)

    def _runs(self) -> bool:
        """Say whether its supervisor says that it runs, where the settings name by which words."""
        named = self._service.running_when or self._service.stopped_when
        return not named or ask_status(self._service)[0] is Supervised.RUNNING

    def _output(self) -> "IO[bytes]":
        log = self._service.start_log
        if log is None:
            return tempfile.TemporaryFile()
        return start_output(log, "a+b")

    def _story(self, output: "IO[bytes]") -> str:
        status = f"; status_command {ask_status(self._service)[1].story}" if self._service.status_command else ""
        return f"last lines: {one_line(tail(output)) or 'none'}{status}"


def _failure(process: "subprocess.Popen[bytes]") -> str | None:
    code = process.poll()
    return f"expected start_command to end with 0, found exit_code={code}" if code else None
