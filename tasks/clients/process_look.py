"""Look at the watched service's process, and never take somebody else's process for it."""

import asyncio
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import psutil

from tasks.clients.machine_look import CpuSample, cpu_sample, machine_look, memory_limit_bytes, run_wait_s
from tasks.clients.processes import (
    identify,
    identity_of,
    listening_ports,
    listens,
    open_process,
    port_owner,
    process_name,
    read_pid,
)
from tasks.model.processes import ProcessIdentity, ProcessLook, ProcessState
from tasks.settings import ServiceSettings

CPU_SAMPLE_S = 0.05
# A process that waits for a core for this share of the sample is starved: somebody else has the cores.
STARVED_RATIO = 0.5
STOPPED = {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}


async def process_look(service: ServiceSettings) -> ProcessLook:
    """Look at the process: state, memory, CPU, open files, threads, age, and who owns the port.

    Runbook: §1.2 Process status.
    Errors: none; what the operating system would not show is left out, and a process that we may not see is blind.
    """
    machine = cpu_sample()
    found = await asyncio.to_thread(find_process, service)
    if isinstance(found, ProcessLook):
        return await asyncio.to_thread(_on_machine, service, found, machine)
    before, started, waited_s = _cpu_time_s(found), time.monotonic(), run_wait_s(found.pid)
    await asyncio.sleep(CPU_SAMPLE_S)
    look = await asyncio.to_thread(_describe, service, found, (before, started))
    return await asyncio.to_thread(_on_machine, service, look, machine, waited_s)


def service_identity(service: ServiceSettings) -> ProcessIdentity | None:
    """Identify the living process that is surely ours, or None."""
    found = find_process(service)
    return None if isinstance(found, ProcessLook) else identify(found.pid)


def find_process(service: ServiceSettings) -> psutil.Process | ProcessLook:
    """Find our process by its pid file, else by the port it listens on; or say why there is none."""
    if not is_local(service):
        return _look(ProcessState.BLIND, "the service runs on another host")
    pid = read_pid(service.pid_file) if service.pid_file else None
    named = _open(pid) if pid else None
    if named is not None and is_ours(service, named):
        return named
    owner = port_owner(service.port)
    if owner is not None and is_ours(service, owner, owns_port=True):
        return owner
    return _nobody(service, pid, (named, owner))


def is_ours(service: ServiceSettings, process: psutil.Process, *, owns_port: bool = False) -> bool:
    """Say whether a process is surely the watched service.

    Where `process_pattern` is set its command line must match, and it must not listen elsewhere than on the service's
    port; else it must listen there. A pid that was reused, or the like service of another stack, is never signalled.
    """
    if service.process_pattern is None:
        return owns_port or listens(process, service.port)
    ports = listening_ports(process)
    return bool(service.process_pattern.search(_command_line(process))) and (not ports or service.port in ports)


def is_local(service: ServiceSettings) -> bool:
    """Say whether the service runs on this machine; a process elsewhere is not to be seen from here."""
    host = service.base_url.host or ""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _on_machine(
    service: ServiceSettings, look: ProcessLook, before: CpuSample, waited_before_s: float | None = None
) -> ProcessLook:
    if not is_local(service):
        return look
    waited_s = run_wait_s(look.pid) if look.pid is not None else None
    waited = 0.0 if waited_s is None or waited_before_s is None else waited_s - waited_before_s
    starved = waited >= STARVED_RATIO * CPU_SAMPLE_S
    update: dict[str, Any] = {"machine": machine_look(service, before, look.pid, starved=starved)}
    if look.pid is not None:
        update |= {"run_wait_s": waited_s, "memory_limit_bytes": memory_limit_bytes(look.pid)}
    return look.model_copy(update=update)


def _nobody(
    service: ServiceSettings, pid: int | None, others: tuple[psutil.Process | None, psutil.Process | None]
) -> ProcessLook:
    named, owner = others
    facts: dict[str, Any] = {}
    if owner is not None:
        facts = {"port_owner_pid": owner.pid, "port_owner_name": process_name(owner)}
    if named is not None:
        return _look(
            ProcessState.NOT_OURS,
            f"pid file names somebody else's process pid={pid} name={process_name(named)}",
            **facts,
        )
    where = f"pid={pid} is gone" if pid else "no pid"
    holder = f"port={service.port} is held by pid={owner.pid}" if owner else f"nobody listens on port={service.port}"
    return _look(ProcessState.DEAD, f"{where}; {holder}", **facts)


def _describe(service: ServiceSettings, process: psutil.Process, sample: tuple[float | None, float]) -> ProcessLook:
    before, started = sample
    after, elapsed_s = _cpu_time_s(process), time.monotonic() - started
    try:
        with process.oneshot():
            status, created_at_s = process.status(), process.create_time()
            if status in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
                return _look(ProcessState.DEAD, f"pid={process.pid} is {status}")
            return _look(
                ProcessState.STOPPED if status in STOPPED else ProcessState.RUNNING,
                f"pid={process.pid} is {status}",
                pid=process.pid,
                started_at=datetime.fromtimestamp(created_at_s, UTC),
                known_as=identity_of(process),
                memory_bytes=process.memory_info().rss,
                cpu_time_s=after,
                cpu_ratio=None if before is None or after is None else round((after - before) / elapsed_s, 3),
                open_files_count=_open_files_count(process),
                open_files_limit=_open_files_limit(process),
                threads_count=process.num_threads(),
                listens=listens(process, service.port),
            )
    except psutil.NoSuchProcess:
        return _look(ProcessState.DEAD, f"pid={process.pid} went away during the look")
    except psutil.AccessDenied:
        return _look(ProcessState.BLIND, f"may not read pid={process.pid}; run as the user of the service")


def _look(state: ProcessState, detail: str, **facts: Any) -> ProcessLook:
    return ProcessLook(state=state, detail=detail, looked_at=datetime.now(UTC), steady_s=time.monotonic(), **facts)


def _open(pid: int) -> psutil.Process | None:
    identity = identify(pid)
    return open_process(identity) if identity else None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _cpu_time_s(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


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
