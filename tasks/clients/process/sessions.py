"""Signal all processes of one session: a run and all that it has started, but for what has begun a session of its own.

A flow that restarts a service starts it in a session of its own, so the service is never in the tree of the run.
"""

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil

from tasks.clients.process.processes import held, own_line, parent_of
from tasks.model.probes.processes import Kin

# A process that is being killed may fork once more before it dies.
ROUNDS_COUNT = 5


def session_pids(leader_pid: int) -> frozenset[int]:
    """Find the living processes of the session that a process leads. Zombies are dead."""
    return frozenset(pid for pid in psutil.pids() if _session(pid) == leader_pid and _lives(pid))


def signal_session(leader_pid: int, number: signal.Signals) -> int:
    """Send a signal to all processes of a session; say how many there were."""
    found = session_pids(leader_pid)
    for pid in found:
        _send(pid, number, leader_pid)
    return len(found)


def kill_session(leader_pid: int) -> int:
    """Kill all processes of a session, also what they fork; say how many there were."""
    killed: set[int] = set()
    for _ in range(ROUNDS_COUNT):
        found = session_pids(leader_pid)
        for pid in found:
            _send(pid, signal.SIGKILL, leader_pid)
        if found <= killed:
            break
        killed |= found
    return len(killed)


def kin_of(pid: int) -> Kin | None:
    """Say in which group and session a process is, and who started it; None where it is gone."""
    try:
        return Kin(pid=pid, parent_pid=parent_of(pid), group=_group(pid), session=_session(pid) or 0)
    except (psutil.Error, OSError):
        return None


def relatives(root: Kin) -> Iterator[Kin]:
    """Find every living process of the session or of the process group that a process is in."""
    for pid in psutil.pids():
        same_group = root.group == _group(pid)
        if same_group or root.session == (_session(pid) or 0):
            kin = kin_of(pid)
            if kin is not None and _lives(pid):
                yield kin


def _group(pid: int) -> int:
    # Where there are no groups, all are in one.
    asked = getattr(os, "getpgid", None)
    try:
        return int(asked(pid)) if asked else 0
    except OSError:
        return -1


def _session(pid: int) -> int | None:
    asked = getattr(os, "getsid", None)
    try:
        return int(asked(pid)) if asked else None
    except OSError:
        return None


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _send(pid: int, number: signal.Signals, leader_pid: int) -> None:
    with held(pid) as descriptor, contextlib.suppress(OSError):
        # What has the number by now may be another's.
        if pid in own_line() or _session(pid) != leader_pid:
            return
        if descriptor is None:
            os.kill(pid, number)
        else:
            signal.pidfd_send_signal(descriptor, number)
