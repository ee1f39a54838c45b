"""Who starts and stops a watched service: one interface, and the supervisor that its settings name."""

from collections.abc import Callable
from typing import Protocol

from tasks.clients.process.supervisors.command import CommandSupervisor
from tasks.clients.process.supervisors.psutil_ import PsutilSupervisor
from tasks.clients.process.supervisors.replacing import ReplacingSupervisor
from tasks.clients.process.supervisors.systemd import SystemdSupervisor
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity
from tasks.model.remediation.supervision import SupervisorName
from tasks.model.remediation.verdicts import Verdict
from tasks.settings import ServiceSettings


class Supervisor(Protocol):
    """Stop a service and start it again, each bounded in time.

    Errors: `NothingDone` where it refused before anything was done: a process that is not surely the service's is never
    signalled, and the owner of a taken port never ended. Any other `CannotAct` leaves the service as nobody knows.
    """

    def available(self) -> Verdict:
        """Say whether the service could be stopped and started again, before anything is done to it."""

    def stop(self, process: ProcessCheck) -> str:
        """Stop the process that was looked at: drain, then kill; say what was done."""

    def start(self, is_ready: Callable[[], bool]) -> ProcessIdentity | None:
        """Start the service and wait until it is ready; None where its process cannot be seen from here."""


def supervisor_of(service: ServiceSettings) -> Supervisor:
    """Find the supervisor that a service's settings name.

    Runbook: §2.1 Restart if hung.
    """
    match service.supervisor:
        case SupervisorName.PSUTIL:
            return PsutilSupervisor(service)
        case SupervisorName.SYSTEMD:
            return SystemdSupervisor(service)
        case SupervisorName.COMMAND if service.restart_command:
            return ReplacingSupervisor(service)
        case SupervisorName.COMMAND:
            return CommandSupervisor(service)
