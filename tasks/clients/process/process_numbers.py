"""Read the numbers of a service's processes: memory and CPU of all, descriptors of the one nearest to its limit."""

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psutil

from tasks.clients.process.processes import open_process
from tasks.model.probes.processes import ProcessIdentity

Members = tuple[ProcessIdentity, ...]
_BY_ITS_RUN_TIME = 2


class CpuTimes(NamedTuple):
    """The CPU time of all processes of a service, and when it was read. Units: seconds."""

    spent_s: float | None
    read_at_s: float


class _Descriptors(NamedTuple):
    used: int | None
    limit: int | None

    @property
    def ratio(self) -> float:
        return (self.used or 0) / self.limit if self.limit and self.limit > 0 else 0.0


def cpu_times_of(root: psutil.Process, members: Members) -> CpuTimes:
    """Add up the CPU time of a service's processes, with that of the children which its first one has buried."""
    return CpuTimes(_cpu_time_s(root, members), time.monotonic())


def numbers_of(root: psutil.Process, members: Members, before: CpuTimes) -> dict[str, Any]:
    """Give the numbers of a check.

    Errors: `psutil.NoSuchProcess` and `psutil.AccessDenied` of the first process; what another one would not show is
    left out.
    Steps: 1. memory: all that the first process holds, and of each other one what it holds for itself: the pages that
    they share count once 2. CPU: of all 3. descriptors: each process has a limit of its own; the nearest counts
    """
    workers = tuple(_workers(root, members))
    after = cpu_times_of(root, members)
    elapsed_s = after.read_at_s - before.read_at_s
    spent_s = None if before.spent_s is None or after.spent_s is None else after.spent_s - before.spent_s
    tightest = max((_descriptors(one) for one in (root, *workers)), key=lambda one: one.ratio)
    shown = tightest if tightest.ratio > 0 else _descriptors(root)
    return {
        "memory_bytes": root.memory_info().rss + sum(_own_memory_bytes(one) for one in workers),
        "cpu_time_s": after.spent_s,
        "cpu_ratio": None if spent_s is None else round(max(0.0, spent_s) / elapsed_s, 3),
        "open_files_count": shown.used,
        "open_files_limit": shown.limit,
        "threads_count": root.num_threads() + sum(_threads_count(one) for one in workers),
        "processes_count": 1 + len(workers),
    }


def _workers(root: psutil.Process, members: Members) -> Iterator[psutil.Process]:
    for identity in members:
        process = open_process(identity) if identity.pid != root.pid else None
        if process is not None:
            yield process


def _own_memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except (psutil.Error, OSError, AttributeError):
        return _resident_bytes(process)


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _cpu_time_s(root: psutil.Process, members: Members) -> float | None:
    try:
        times = root.cpu_times()
    except psutil.Error:
        return None
    buried_s = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    own_s = times.user + times.system if (clock_s := _clock_s(root.pid)) is None else clock_s
    return float(own_s + buried_s + sum(_spent_s(one) for one in _workers(root, members)))


def _spent_s(process: psutil.Process) -> float:
    if (clock_s := _clock_s(process.pid)) is not None:
        return clock_s
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _clock_s(pid: int) -> float | None:
    """Read the CPU clock of a process, which counts nanoseconds where psutil's numbers count hundredths of a second.

    Source: clock_getcpuclockid(3); how Linux numbers these clocks: include/linux/posix-timers.h.
    """
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | _BY_ITS_RUN_TIME)
    except (OSError, OverflowError):
        return None


def _threads_count(process: psutil.Process) -> int:
    try:
        return int(process.num_threads())
    except psutil.Error:
        return 0


def _descriptors(process: psutil.Process) -> _Descriptors:
    return _Descriptors(_open_files_count(process), _open_files_limit(process))


def _open_files_count(process: psutil.Process) -> int | None:
    reader = getattr(process, "num_fds", None) or getattr(process, "num_handles", None)
    try:
        return int(reader()) if reader else None
    except psutil.Error:
        return None


def _open_files_limit(process: psutil.Process) -> int | None:
    reader = getattr(process, "rlimit", None)
    number = getattr(psutil, "RLIMIT_NOFILE", None)
    try:
        return int(reader(number)[0]) if reader and number is not None else None
    except (psutil.Error, OSError):
        return None
