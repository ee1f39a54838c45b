"""The service under a supervisor that replaces it by one command: `kubectl rollout restart`, `docker restart`."""

from collections.abc import Callable

from tasks.clients.process.commands import program_fault, reap, run_command
from tasks.clients.process.probe import is_local, service_identity, why_unseen
from tasks.clients.process.processes import is_running
from tasks.clients.process.supervisors.supervised import kill, process_to_stop, surroundings, wait_until_ready
from tasks.clients.process.supervisors.supervisor_state import ask_status
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.process.supervisor_status import Supervised
from tasks.settings import ServiceSettings

POLL_S = 0.2


class ReplacingSupervisor:
    """Run `restart_command`, and look at what it did: the old process is gone, the status says so, it answers."""

    def __init__(self, service: ServiceSettings) -> None:
        self._service = service
        self._where = surroundings(service)
        self._before: ProcessIdentity | None = None

    def available(self) -> Verdict:
        """Say whether the command could be run, and its effect be seen, before anything is done."""
        service = self._service
        keys = {"restart_command": service.restart_command, "status_command": service.status_command}
        for key, command in keys.items():
            fault = program_fault(command, self._where) if command else None
            if fault:
                return Verdict.no(GuardCode.NOT_AVAILABLE, f"{fault}; correct {key}")
        if not is_local(service) and not service.status_command:
            detail = f"{why_unseen(service)}; set status_command, or nobody can tell that it was restarted"
            return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
        return Verdict.yes()

    def stop(self, process: ProcessCheck) -> str:
        """Prove whose process the command is going to end; it is the command that ends it.

        Errors: `NOT_OUR_PROCESS`, `PROCESS_UNREADABLE`: nothing was done then.
        Steps: a stopped process is killed first: a supervisor may continue what it asks to end, and orders that waited
        in it would be sent late.
        """
        if not is_local(self._service):
            return "left to restart_command"
        self._before = process_to_stop(self._service, process)
        if self._before is not None and process.state is ProcessState.STOPPED:
            kill(self._service, self._before)
            reap()
        return f"pid={self._before.pid} left to restart_command" if self._before else "nothing was left to end"

    def start(self, is_ready: Callable[[], bool]) -> ProcessIdentity | None:
        """Run the command to its end, then wait for its effect.

        Errors: `START_FAILED` where it does not end with 0, `NOT_READY` with what its supervisor says.
        """
        limits = self._service.restart
        timeout_s = limits.drain_timeout_s + limits.kill_timeout_s + limits.start_timeout_s
        asked = run_command(self._service.restart_command, timeout_s, self._where)
        if not asked.succeeded:
            raise CannotAct(Code.START_FAILED, f"expected restart_command to end with 0, found {asked.story}")
        try:
            wait_until_ready(self._service, lambda: self._is_replaced() and is_ready(), lambda: None, POLL_S)
        except CannotAct as error:
            raise CannotAct(error.code, f"{error.detail}; {self._story()}") from None
        return service_identity(self._service)

    def _is_replaced(self) -> bool:
        if self._before is not None and is_running(self._before):
            return False
        return not self._service.status_command or ask_status(self._service)[0] is Supervised.RUNNING

    def _story(self) -> str:
        alive = self._before is not None and is_running(self._before)
        old = f"pid={self._before.pid} is still alive; " if self._before and alive else ""
        return f"{old}status_command {ask_status(self._service)[1].story}"
