"""The service as a systemd unit. Only systemd signals it: what is killed behind its back it would start again."""

import time
from collections.abc import Callable

from tasks.clients.process.commands import CommandEnd, Surroundings, one_line, program_fault, run_command
from tasks.clients.process.probe import is_local, service_identity, why_unseen
from tasks.clients.process.processes import identify, is_running, is_within
from tasks.clients.process.supervisors.supervised import (
    process_to_stop,
    refuse_taken_port,
    still_alive,
    wait_until_ready,
)
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.settings import ServiceSettings

COMMAND_TIMEOUT_S = 5.0
POLL_S = 0.2
DOWN = frozenset({"inactive", "failed"})
# What systemd says is read by its words; nobody is there to answer a password.
PLAIN = Surroundings({"LC_ALL": "C", "SYSTEMD_COLORS": "0"})
OPTIONS = ("--no-pager", "--no-ask-password")


class SystemdSupervisor:
    """Ask systemd to stop and to start the unit, and look at what it did; no call waits for a job to end."""

    def __init__(self, service: ServiceSettings) -> None:
        self._service = service
        self._unit = service.systemd_unit or ""
        self._program = ("systemctl", *(("--user",) if service.systemd_user else ()), *OPTIONS)

    def available(self) -> Verdict:
        """Say whether systemd is here and knows the unit, before anything is stopped."""
        if not is_local(self._service):
            detail = f"{why_unseen(self._service)}; set supervisor=command, or a person restarts it"
            return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
        fault = program_fault(self._program, PLAIN)
        if fault:
            return Verdict.no(GuardCode.NOT_AVAILABLE, f"{fault}; is this a machine with systemd?")
        asked = self._show()
        loaded = _state_of(asked).get("LoadState", asked.story)
        if loaded != "loaded":
            detail = f"expected unit={self._unit} loaded, found {loaded}; correct systemd_unit"
            return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
        return Verdict.yes()

    def stop(self, process: ProcessCheck) -> str:
        """Stop the unit: drain, then kill.

        Errors: `NOT_OUR_PROCESS` where the unit runs something else than the process that was looked at.
        Steps: 1. a stopped process is killed first: systemd continues what it asks to end, and orders that waited in it
        would be sent late 2. the stop is a job of systemd's, so that it does not start the unit again 3. what does not
        end in time is killed 4. gone is the unit and the process.
        """
        identity = process_to_stop(self._service, process)
        shown = self._show()
        if not shown.succeeded:
            raise NothingDone(Code.OS_REFUSED, f"expected the state of unit={self._unit}, found {shown.story}")
        self._refuse_other(identity, _main_pid(_state_of(shown)))
        if identity is None and _is_down(_state_of(shown)):
            return "nothing was left to end"
        killed = process.state is ProcessState.STOPPED and self._ask("kill", "--signal=SIGKILL", self._unit).succeeded
        asked = self._ask("stop", "--no-block", self._unit)
        if not asked.succeeded:
            kind = CannotAct if killed else NothingDone
            raise kind(Code.STOP_FAILED, f"expected unit={self._unit} to stop, found {asked.story}")
        if not self._down_within(identity, self._service.restart.drain_timeout_s):
            self._ask("kill", "--signal=SIGKILL", self._unit)
            if not self._down_within(identity, self._service.restart.kill_timeout_s):
                raise self._alive(identity)
        return f"unit={self._unit} stopped" + (f", pid={identity.pid} ended" if identity else "")

    def start(self, is_ready: Callable[[], bool]) -> ProcessIdentity | None:
        """Start the unit, and wait until the service answers.

        Errors: `PORT_TAKEN`; `START_FAILED` and `NOT_READY` carry what systemd says of the unit. The unit is left to
        systemd then, as it is.
        """
        # Where a socket unit starts it, systemd holds the port for it.
        if ".socket" not in self._state().get("TriggeredBy", ""):
            refuse_taken_port(self._service)
        # A unit that failed too often is not started again before this; our own budget was asked already.
        self._ask("reset-failed", self._unit)
        asked = self._ask("start", "--no-block", self._unit)
        if not asked.succeeded:
            raise CannotAct(Code.START_FAILED, f"expected unit={self._unit} to start, found {asked.story}")
        try:
            wait_until_ready(self._service, is_ready, self._failure, POLL_S)
        except CannotAct as error:
            raise CannotAct(error.code, f"{error.detail}; {self._story()}") from None
        return service_identity(self._service) or identify(_main_pid(self._state()))

    def _refuse_other(self, identity: ProcessIdentity | None, main_pid: int) -> None:
        if main_pid == 0 and identity is None:
            return
        if identity is not None and main_pid and is_within(identity.pid, main_pid):
            return
        found = "no process of the service" if identity is None else f"pid={identity.pid}"
        detail = (
            f"expected unit={self._unit} to run {found}, found MainPID={main_pid}; nothing was stopped, check again"
        )
        raise NothingDone(Code.NOT_OUR_PROCESS, detail)

    def _down_within(self, identity: ProcessIdentity | None, wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while True:
            gone = identity is None or not is_running(identity)
            if gone and _is_down(self._state()):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)

    def _alive(self, identity: ProcessIdentity | None) -> CannotAct:
        if identity is not None and is_running(identity):
            return still_alive(identity)
        detail = f"expected unit={self._unit} to stop, found {self._story()}; stop it yourself"
        return CannotAct(Code.STILL_ALIVE, detail)

    def _failure(self) -> str | None:
        return (
            f"expected unit={self._unit} active, found it failed"
            if self._state().get("ActiveState") == "failed"
            else None
        )

    def _story(self) -> str:
        said = self._ask("status", "--lines=5", "--full", self._unit)
        return f"last lines: {one_line(said.output) or said.story}"

    def _state(self) -> dict[str, str]:
        return _state_of(self._show())

    def _show(self) -> CommandEnd:
        return self._ask("show", "--property=LoadState,ActiveState,SubState,MainPID,Result,TriggeredBy", self._unit)

    def _ask(self, *words: str) -> CommandEnd:
        return run_command((*self._program, *words), COMMAND_TIMEOUT_S, PLAIN)


def _state_of(shown: CommandEnd) -> dict[str, str]:
    return dict(line.split("=", 1) for line in shown.output.splitlines() if "=" in line) if shown.succeeded else {}


def _main_pid(state: dict[str, str]) -> int:
    found = state.get("MainPID", "")
    return int(found) if found.isdecimal() else 0


def _is_down(state: dict[str, str]) -> bool:
    return state.get("ActiveState") in DOWN
