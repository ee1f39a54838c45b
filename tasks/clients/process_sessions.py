"""Signal all processes of one session: a run and all that it has started, but for what has begun a session of its own.

A flow that restarts a service starts it in a session of its own, so the service is never in the tree of the run.
"""

import os
import signal

import psutil

# A process that is being killed may fork once more before it dies.
ROUNDS_COUNT = 5


def session_pids(leader_pid: int) -> frozenset[int]:
    """Find the living processes of the session that a process leads. Zombies are dead."""
    return frozenset(pid for pid in psutil.pids() if _session(pid) == leader_pid and _lives(pid))


def signal_session(leader_pid: int, number: signal.Signals) -> int:
    """Send a signal to all processes of a session; say how many there were."""
    found = session_pids(leader_pid)
    for pid in found:
        _send(pid, number)
    return len(found)


def kill_session(leader_pid: int) -> int:
    """Kill all processes of a session, also what they fork meanwhile; say how many there were."""
    killed: set[int] = set()
    for _ in range(ROUNDS_COUNT):
        found = session_pids(leader_pid)
        for pid in found:
            _send(pid, signal.SIGKILL)
        if found <= killed:
            break
        killed |= found
    return len(killed)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return
