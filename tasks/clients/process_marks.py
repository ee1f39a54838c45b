"""Find the processes that carry a mark in their environment, or are of one group, and so belong together."""

import os
import sys

import psutil

from tasks.clients.processes import identify, identity_of
from tasks.model.processes import ProcessIdentity

# The variable that `runbook up` gives to every process of its stack, and they to what they start.
STACK_MARK = "TRADING_RUNBOOK_STACK"
# The variable that tells a process, and what it starts, that we started it, and as which service.
SERVICE_MARK = "TRADING_RUNBOOK_SERVICE"


def marked(variable: str, value: str) -> tuple[ProcessIdentity, ...]:
    """Find every living process, other than our own, whose environment holds `variable=value`.

    Errors: none; a process that we may not read is not one that we started.
    """
    own = psutil.Process().pid
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != own and process.environ().get(variable) == value:
                found.append(identity_of(process))
        except (psutil.Error, OSError):
            continue
    return tuple(found)


def in_group(group: int) -> tuple[ProcessIdentity, ...]:
    """Find every living process of a process group; none where the system knows no groups.

    Errors: none.
    """
    pids = [pid for pid in psutil.pids() if _group_of(pid) == group]
    return tuple(one for pid in pids if (one := identify(pid)) is not None)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid) if sys.platform != "win32" else None
    except OSError:
        return None


def carries(process: psutil.Process, variable: str, value: str) -> bool:
    """Say whether a process carries a mark; one whose environment we may not read does not."""
    try:
        return bool(process.environ().get(variable) == value)
    except (psutil.Error, OSError):
        return False
