"""Find the processes that carry a mark in their environment, or are of one group, and so belong together."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from tasks.clients.process.processes import identify, identity_of, own_line
from tasks.model.probes.processes import ProcessIdentity

# The variable that `runbook up` gives to every process of its stack, and they to what they start.
STACK_MARK = "TRADING_RUNBOOK_STACK"
# Also: where the stack keeps everything, so that it is found when that is gone.
STATE_DIR_MARK = "TRADING_RUNBOOK_STATE_DIR"
# The variable that tells a process, and what it starts, that we started it, and as which service.
SERVICE_MARK = "TRADING_RUNBOOK_SERVICE"


def marked(variable: str, value: str) -> tuple[ProcessIdentity, ...]:
    """Find every living process whose environment holds `variable=value`, but for ourselves and what we descend from.

    A process that we may not read is not one that we started.
    """
    return tuple(one for one, environment in _environments() if environment.get(variable) == value)


def left_under(state_dir: Path) -> tuple[ProcessIdentity, ...]:
    """Find every living process of the stacks that were started with a state directory, whatever is left of it.

    What an earlier version started names the directory in its settings alone, and not in every process;
    all that carry the same mark belong together.
    """
    everybody = [(one, environment) for one, environment in _environments() if environment.get(STACK_MARK)]
    places = (STATE_DIR_MARK, "RUNBOOK_STATE_DIR")
    marks = {known[STACK_MARK] for _, known in everybody if str(state_dir) in {known.get(name) for name in places}}
    return tuple(one for one, known in everybody if known[STACK_MARK] in marks)


def _environments() -> Iterator[tuple[ProcessIdentity, dict[str, str]]]:
    ours = own_line()
    for process in psutil.process_iter():
        try:
            if process.pid not in ours:
                yield identity_of(process), process.environ()
        except (psutil.Error, OSError):
            continue


def in_group(group: int) -> tuple[ProcessIdentity, ...]:
    """Find every living process of a process group; none where the system knows no groups."""
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
