"""Who starts and stops a watched service: one interface, and the supervisor that its settings name."""

from collections.abc import Callable
from typing import Protocol

from tasks.clients.supervisor_command import CommandSupervisor
from tasks.clients.supervisor_psutil import PsutilSupervisor
from tasks.clients.supervisor_systemd import SystemdSupervisor
from tasks.model.processes import ProcessIdentity, ProcessLook
from tasks.model.supervision import SupervisorName
from tasks.model.verdicts import Verdict
from tasks.settings import ServiceSettings


class Supervisor(Protocol):
    """Stop a service and start it again, each bounded in time.

    Errors: `NothingDone` where it refused before anything was done: a process that is not surely the service's is never
    signalled, and the owner of a taken port never ended. Any other `CannotAct` leaves the service as nobody knows.
    """

    def available(self) -> Verdict:
        """Say whether the service could be stopped and started again, before anything is done to it."""

    def stop(self, process: ProcessLook) -> str:
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
        case SupervisorName.COMMAND:
            return CommandSupervisor(service)
