"""The machine of a measurement: what it is, and whether it is at rest. Figures taken beside other work are false."""

import os
import platform
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version

import psutil

from tasks.clients.process_marks import STACK_MARK, marked
from tasks.model.values import Value

QUIET_CORES = 0.35
WATCH_S = 2.0
CALMS_DOWN_WITHIN_S = 40.0
PACKAGES = ("prefect", "fastapi", "uvicorn", "pydantic", "sqlalchemy")


class Machine(Value):
    """Where and beside what a bench ran. Units: cores that other work used before and during it; bytes."""

    platform: str
    python: str
    cores: int
    memory_bytes: int
    load_1m: float
    other_cores_before: float
    other_cores_during: float | None = None
    versions: dict[str, str]

    @property
    def was_quiet(self) -> bool:
        """Say whether figures of this run may be quoted."""
        return max(self.other_cores_before, self.other_cores_during or 0.0) <= QUIET_CORES


class NotQuiet(SystemExit):
    """The machine works for others; nothing was measured."""


def machine_at_rest(*, also_busy: bool) -> Machine:
    """Wait a little until the machine is at rest, and say what it is.

    Errors: NotQuiet where it stays busy, unless `also_busy`; the figures then say so.
    """
    deadline = time.monotonic() + CALMS_DOWN_WITHIN_S
    while (busy := busy_cores()) > QUIET_CORES and not also_busy:
        if time.monotonic() > deadline:
            raise NotQuiet(
                f"MACHINE_BUSY: expected at most {QUIET_CORES} cores of other work was {busy:.1f}; "
                "wait until it is quiet, or measure all the same with --busy, for development only"
            )
    return Machine(
        platform=platform.platform(terse=True),
        python=platform.python_version(),
        cores=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        load_1m=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        other_cores_before=round(busy, 2),
        versions={name: version(name) for name in PACKAGES},
    )


def busy_cores() -> float:
    """Watch the machine for a moment. Units: cores at work."""
    return psutil.cpu_percent(WATCH_S) / 100 * (os.cpu_count() or 1)


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Sum the CPU of processes and of their children that have ended. Units: seconds."""
    total = 0.0
    for one in processes:
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.Error:
            continue
    return total


def family(pid: int) -> list[psutil.Process]:
    """Find a process with all that it has started."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


class Elsewhere:
    """Measure what the machine does for others: for all but this process, its children, a stack and its database."""

    def __init__(self, mark: str | None = None, database_pid: int | None = None) -> None:
        self._mark, self._database_pid = mark, database_pid
        self._at, self._machine_s, self._ours_s = time.monotonic(), _machine_s(), self._own_s()

    def cores(self) -> float:
        """Give the cores that other work has used since."""
        spent_s = (_machine_s() - self._machine_s) - (self._own_s() - self._ours_s)
        return max(0.0, spent_s / (time.monotonic() - self._at))

    def _own_s(self) -> float:
        ours = {one.pid: one for one in family(os.getpid())}
        roots = [found.pid for found in marked(STACK_MARK, self._mark)] if self._mark else []
        roots += [self._database_pid] if self._database_pid else []
        for one in (one for root in roots for one in family(root)):
            ours[one.pid] = one
        return cpu_s(ours.values())


def _machine_s() -> float:
    # Stolen time is another guest's: it is time that we did not get.
    times = psutil.cpu_times()
    return float(times.user + times.system + (getattr(times, "steal", 0.0) if sys.platform == "linux" else 0.0))
