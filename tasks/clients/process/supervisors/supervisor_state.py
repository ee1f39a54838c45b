"""Ask a supervisor how the service is, by `status_command`; on whatever host the service runs."""

import time
from datetime import UTC, datetime

from tasks.clients.process.commands import CommandEnd, Surroundings, run_command
from tasks.clients.process.marks import SERVICE_MARK
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.rules.process.supervisor_status import StatusPatterns, Supervised, supervised_state
from tasks.settings import ServiceSettings

STATUS_TIMEOUT_S = 5.0
STATES = {
    Supervised.RUNNING: ProcessState.RUNNING,
    Supervised.STOPPED: ProcessState.DEAD,
    Supervised.UNKNOWN: ProcessState.BLIND,
}


def ask_status(service: ServiceSettings) -> tuple[Supervised, CommandEnd]:
    """Run the status command once; without one nobody knows."""
    if not service.status_command:
        return Supervised.UNKNOWN, CommandEnd(fault="no status_command is set", ran=False)
    where = Surroundings({SERVICE_MARK: service.url, **service.start_environment}, service.working_directory)
    end = run_command(service.status_command, STATUS_TIMEOUT_S, where)
    patterns = StatusPatterns(running_when=service.running_when, stopped_when=service.stopped_when)
    return supervised_state(end.exit_code, end.output, patterns), end


def process_by_supervisor(service: ServiceSettings) -> ProcessCheck:
    """Look at the process through its supervisor's eyes: it runs, it is gone, or nobody could say.

    Runbook: §1.2 Process status.
    """
    state, end = ask_status(service)
    detail = f"its supervisor says {state}: {end.story}"[:500]
    return ProcessCheck(state=STATES[state], detail=detail, looked_at=datetime.now(UTC), steady_s=time.monotonic())
