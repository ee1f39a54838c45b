"""The machine of a measurement: what it is, whether it is at rest, and its signals to stop.

Figures taken beside other work are false.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from platform import platform, python_version
from types import FrameType

import psutil
from pydantic import BaseModel

from deployments.stack.interrupts import STOP_SIGNALS
from tasks.clients.process.marks import STACK_MARK, marked

# What a shell gives a command that Ctrl-C has ended.
INTERRUPTED = 130
# What processes share counts once, in shares, where Linux tells; elsewhere once for each of them.
MEASURED_AS = "PSS" if sys.platform == "linux" else "RSS"
QUIET_CORES, WATCH_S, CALMS_DOWN_WITHIN_S = 0.35, 2.0, 40.0
PACKAGES = ("prefect", "fastapi", "uvicorn", "pydantic", "sqlalchemy")


class Machine(BaseModel):
    """Where and beside what a bench ran. Units: cores that other work used before and during it; bytes."""

    platform: str = platform(terse=True)
    python: str = python_version()
    cores: int = os.cpu_count() or 1
    memory_bytes: int = psutil.virtual_memory().total
    other_cores_before: float
    other_cores_during: float | None = None
    versions: dict[str, str] = {name: version(name) for name in PACKAGES}

    @property
    def was_quiet(self) -> bool:
        """Say whether figures of this run may be quoted."""
        return max(self.other_cores_before, self.other_cores_during or 0.0) <= QUIET_CORES


def machine_at_rest(*, also_busy: bool) -> Machine:
    """Wait a little until the machine is at rest, and say what it is.

    Errors: SystemExit where it stays busy, unless `also_busy`; the figures then say so.
    """
    deadline = time.monotonic() + CALMS_DOWN_WITHIN_S
    while (busy := busy_cores()) > QUIET_CORES and not also_busy:
        if time.monotonic() > deadline:
            raise SystemExit(
                f"MACHINE_BUSY: expected at most {QUIET_CORES} cores of other work was {busy:.1f}; "
                "wait until it is quiet, or measure all the same with --busy, for development only"
            )
    return Machine(other_cores_before=round(busy, 2))


def busy_cores() -> float:
    return psutil.cpu_percent(WATCH_S) / 100 * (os.cpu_count() or 1)


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Sum the CPU of processes and of their children that have ended. Units: seconds."""
    total = 0.0
    for one in processes:
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])
    return total


def family(pid: int) -> list[psutil.Process]:
    """Find a process with all that it has started."""
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def held_mb(pid: int) -> float:
    """Sum what a process and all that it has started hold; see `MEASURED_AS`. Units: 10^6 bytes."""
    total_bytes = 0
    for one in family(pid):
        with suppress(psutil.Error):
            total_bytes += one.memory_full_info().pss if MEASURED_AS == "PSS" else one.memory_info().rss
    return total_bytes / 1e6


class Elsewhere:
    """Measure what the machine does for others: for all but this process, its children, a stack and its database."""

    def __init__(self, mark: str | None, database_pid: int | None) -> None:
        self._mark, self._database_pid = mark, database_pid
        self._at, self._spent_s = time.monotonic(), self._others_s()

    def cores(self) -> float:
        """Give the cores that other work has used since."""
        return max(0.0, (self._others_s() - self._spent_s) / (time.monotonic() - self._at))

    def _others_s(self) -> float:
        roots = [os.getpid(), *([self._database_pid] if self._database_pid else [])]
        roots += [found.pid for found in marked(STACK_MARK, self._mark)] if self._mark else []
        ours = {one.pid: one for root in roots for one in family(root)}
        times = psutil.cpu_times()
        # Stolen time is another guest's: it is time that we did not get. Only Linux knows of it.
        return float(times.user + times.system + getattr(times, "steal", 0.0)) - cpu_s(ours.values())


def to_its_end(what: str, work: Callable[[], int]) -> int:
    """Do some work and give its exit code; where a signal ends it, say so in one line, once it has cleaned up."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A second signal would interrupt the cleaning up.
        for one in STOP_SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, stop) for one in STOP_SIGNALS}
    try:
        return work()
    except KeyboardInterrupt:
        sys.stderr.write(
            f"INTERRUPTED: expected the end of {what} was a signal to stop; what it had started is stopped, its "
            "result is not written; run it again\n"
        )
        return INTERRUPTED
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_child(command: Sequence[str], folder: Path) -> int:
    """Run a command to its end; a signal to stop is passed on, and its cleaning up is waited for."""
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
