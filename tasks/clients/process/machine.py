"""Look at the machine beneath the service: cores, memory, disks, and who else takes them."""

import os
import shutil
import time
from pathlib import Path

import psutil

from tasks.clients.logs.log_sources import log_sources
from tasks.clients.process.processes import process_name
from tasks.model.probes.processes import BusyProcess, Disk, MachineCheck
from tasks.settings import ServiceSettings

BUSIEST_COUNT = 3
BUSY_SAMPLE_S = 0.15
CpuSample = tuple[float, float]


def cpu_sample() -> CpuSample:
    """Read how long all cores together were busy, and for how long they were there. Units: seconds since boot."""
    times = psutil.cpu_times()
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    # Guest time is in user time already.
    total_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total_s - idle_s, total_s


def machine_check(
    service: ServiceSettings, before: CpuSample, own: frozenset[int], *, starved: bool = False
) -> MachineCheck:
    """Look at the machine since an earlier sample; who takes the cores is asked only where the service is starved.

    Runbook: §1.2 Process status.
    What the operating system would not show is left out.
    """
    return MachineCheck(
        busy_ratio=_busy_ratio(before, cpu_sample()),
        cores_count=psutil.cpu_count(),
        memory_available_bytes=int(psutil.virtual_memory().available),
        disks=disks_of(service),
        busiest=_busiest(own) if starved else (),
    )


def disks_of(service: ServiceSettings) -> tuple[Disk, ...]:
    """Say how much room there is where logs, ledger and state of the service lie; one entry a file system."""
    places = {"pid file": service.pid_file, "ledger": service.incidents_file, "output": service.start_log}
    named = [(what, path) for what, path in places.items() if path is not None]
    named += [("log", path) for path in log_sources(service).files]
    found: dict[int, Disk] = {}
    for what, path in named:
        _add_disk(found, what, path.absolute().parent)
    return tuple(found.values())


def run_wait_s(pid: int) -> float | None:
    """Read how long the process's main thread was ready to run and got no core; Linux tells, others do not.

    Source: Linux kernel, Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat.
    """
    try:
        words = Path(f"/proc/{pid}/schedstat").read_text("ascii").split()
        return int(words[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def memory_limit_bytes(pid: int) -> int | None:
    """Say at how much memory the kernel ends the process: the least limit of its control groups, else all memory."""
    limits = [limit for limit in (_cgroup_limit(pid), int(psutil.virtual_memory().total)) if limit]
    return min(limits, default=None)


def _busy_ratio(before: CpuSample, after: CpuSample) -> float | None:
    there_s = after[1] - before[1]
    return round(min(1.0, max(0.0, (after[0] - before[0]) / there_s)), 3) if there_s > 0.01 else None


def _add_disk(found: dict[int, Disk], what: str, folder: Path) -> None:
    try:
        device = folder.stat().st_dev
        known = found.get(device)
        if known is not None:
            if what not in known.what:
                found[device] = known.model_copy(update={"what": f"{known.what}, {what}"})
            return
        usage = shutil.disk_usage(folder)
        free, total = _inodes(folder)
    except OSError:
        return
    found[device] = Disk(
        what=what,
        path=str(folder),
        free_bytes=usage.free,
        total_bytes=usage.total,
        free_inodes_count=free,
        total_inodes_count=total,
    )


def _inodes(folder: Path) -> tuple[int | None, int | None]:
    reader = getattr(os, "statvfs", None)
    room = reader(folder) if reader else None
    # A file system without a fixed number of inodes reports none at all.
    return (int(room.f_favail), int(room.f_files)) if room and room.f_files else (None, None)


def _busiest(own: frozenset[int]) -> tuple[BusyProcess, ...]:
    before, started = _cpu_times(), time.monotonic()
    time.sleep(BUSY_SAMPLE_S)
    elapsed_s = time.monotonic() - started
    used = {pid: (spent - before[pid]) / elapsed_s for pid, spent in _cpu_times().items() if pid in before}
    others = [pid for pid in used if pid not in {*own, os.getpid()} and used[pid] > 0.1]
    ranked = sorted(others, key=lambda pid: -used[pid])[:BUSIEST_COUNT]
    return tuple(BusyProcess(pid=pid, name=_name(pid), cpu_ratio=round(used[pid], 2)) for pid in ranked)


def _cpu_times() -> dict[int, float]:
    found: dict[int, float] = {}
    for process in psutil.process_iter():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found[process.pid] = times.user + times.system
    return found


def _name(pid: int) -> str:
    try:
        return process_name(psutil.Process(pid))
    except psutil.Error:
        return "gone"


def _cgroup_limit(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    parts = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    unified = [part[2] for part in parts if part[0] == "0"]
    legacy = [part[2] for part in parts if "memory" in part[1].split(",")]
    files = [_above(Path("/sys/fs/cgroup"), group, "memory.max") for group in unified]
    files += [_above(Path("/sys/fs/cgroup/memory"), group, "memory.limit_in_bytes") for group in legacy]
    limits = [limit for chain in files for path in chain if (limit := _number(path)) is not None]
    return min(limits, default=None)


def _above(root: Path, group: str, name: str) -> list[Path]:
    names = [part for part in group.split("/") if part not in {"", "..", "."}]
    return [root.joinpath(*names[:depth], name) for depth in range(len(names) + 1)]


def _number(path: Path) -> int | None:
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    # No limit is "max", or in the older hierarchy a number near 2 to the power of 63.
    return int(text) if text.isdecimal() and 0 < int(text) < 2**60 else None
