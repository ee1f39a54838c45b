"""Look at the watched service's process, and never take somebody else's process for it."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, NamedTuple

import psutil

from tasks.clients.process.listeners import Listeners, listeners_on
from tasks.clients.process.machine import CpuSample, cpu_sample, machine_check, memory_limit_bytes, run_wait_s
from tasks.clients.process.ownership import Family, facts_of, listens, wanted_of
from tasks.clients.process.process_numbers import CpuTimes, cpu_times_of, numbers_of
from tasks.clients.process.processes import (
    ancestors_of,
    exists_unseen,
    identify,
    identity_of,
    open_process,
    process_name,
    read_pid,
)
from tasks.model.probes.processes import ProcessCheck, ProcessFacts, ProcessIdentity, ProcessState
from tasks.model.service.process_settings import SeenBy
from tasks.rules.process.ownership import Whose, top_of, whose
from tasks.settings import ServiceSettings

# What is decided by is measured from check to check; this is for the eye alone.
CPU_SAMPLE_S = 0.02
# A process that waits for a core for this share of the sample is starved: somebody else has the cores.
STARVED_RATIO = 0.5
STOPPED = {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
SERVES = frozenset({Whose.OURS, Whose.CONTAINED})
# Behind these the service may live where we cannot see it.
HIDES = frozenset({Whose.UNSEEN, Whose.HOLDER, Whose.PROTECTED})
Owners = dict[int, Whose]


class _Found(NamedTuple):
    """A process, what was seen of it, and whose it is by that."""

    process: psutil.Process
    facts: ProcessFacts
    whose: Whose


async def process_check(service: ServiceSettings) -> ProcessCheck:
    """Look at the process: state, memory, CPU, open files, threads, age, and who owns the port.

    Runbook: §1.2 Process status.
    What the operating system would not show is left out, and a process that we may not see is blind.
    """
    machine = cpu_sample()
    begun = await asyncio.to_thread(_begun, service)
    if isinstance(begun, ProcessCheck):
        return await asyncio.to_thread(_on_machine, service, begun, machine)
    await asyncio.sleep(CPU_SAMPLE_S)
    return await asyncio.to_thread(_ended, service, begun, machine)


class _Begun(NamedTuple):
    """A process that is ours, and what it had used when its check began."""

    found: _Found
    members: tuple[ProcessIdentity, ...]
    before: CpuTimes
    waited_s: float | None


def _begun(service: ServiceSettings) -> _Begun | ProcessCheck:
    found = _find(service)
    if isinstance(found, ProcessCheck):
        return found
    members = Family(service, found.process)()
    return _Begun(found, members, cpu_times_of(found.process, members), run_wait_s(found.process.pid))


def _ended(service: ServiceSettings, begun: _Begun, machine: CpuSample) -> ProcessCheck:
    look = _describe(service, begun.found, begun.members, begun.before)
    return _on_machine(service, look, machine, begun.waited_s, begun.members)


def service_identity(service: ServiceSettings) -> ProcessIdentity | None:
    """Identify the living process that is surely ours, or None."""
    found = find_process(service)
    return None if isinstance(found, ProcessCheck) else identify(found.pid)


def find_process(service: ServiceSettings) -> psutil.Process | ProcessCheck:
    """Find our process by its pid file, else by the port it listens on; or say why there is none.

    Dead is only what was seen to be gone: a process of another user, or one behind a holder of the port,
    is blind.
    """
    found = _find(service)
    return found if isinstance(found, ProcessCheck) else found.process


def _find(service: ServiceSettings) -> _Found | ProcessCheck:
    if service.base_urls or service.instances:
        detail = "not available: it runs as several instances; each is looked at by itself"
        return _look(ProcessState.NOT_AVAILABLE, detail)
    if service.process.seen_by is not SeenBy.LOCAL:
        return _look(ProcessState.NOT_AVAILABLE, f"not available: {why_unseen(service)}")
    if not is_local(service):
        return _look(ProcessState.BLIND, why_unseen(service))
    pid = read_pid(service.pid_file) if service.pid_file else None
    named = _judged(service, pid) if pid else None
    if named is not None and named.whose in SERVES:
        return named
    if named is None:
        hidden = Whose.UNSEEN if pid and exists_unseen(pid) else None
        return _by_port(service, pid, None, hidden)
    return _by_port(service, pid, named.process, named.whose)


def is_local(service: ServiceSettings) -> bool:
    """Say whether the service runs on this machine, and may be seen here; a process elsewhere is not."""
    if service.process.seen_by is not SeenBy.LOCAL:
        return False
    host = service.base_url.host or ""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def why_unseen(service: ServiceSettings) -> str:
    """Say why the process of a service is not to be seen on this machine."""
    seen_by = service.process.seen_by
    return "the service runs on another host" if seen_by is SeenBy.LOCAL else f'process.seen_by = "{seen_by}"'


def _judged(service: ServiceSettings, pid: int, holders: Sequence[int] | None = None) -> _Found | None:
    process = _open(pid)
    if process is None:
        return None
    facts = facts_of(service, process, holders)
    return _Found(process, facts, whose(facts, wanted_of(service)))


def _by_port(
    service: ServiceSettings, pid: int | None, named: psutil.Process | None, named_as: Whose | None
) -> _Found | ProcessCheck:
    listeners = listeners_on(service.port)
    holders = {one: found for one in listeners.pids if (found := _judged(service, one, listeners.pids))}
    owners = {one: found.whose for one, found in holders.items()}
    serving = {one: ancestors_of(one) for one, who in owners.items() if who in SERVES}
    top = top_of(serving)
    if top is not None:
        return holders[top]
    if serving:
        who = ", ".join(f"pid={one}" for one in serving)
        detail = f"port={service.port} is held by {who}; set pid_file or process_pattern to tell which is the service"
        return _look(ProcessState.BLIND, detail)
    where = _where(pid, named, named_as)
    hidden = _hidden(service, owners, listeners, named_as)
    if hidden:
        return _look(ProcessState.BLIND, f"{where}; {hidden}", **_owner(owners))
    if named is not None:
        return _look(ProcessState.NOT_OURS, where, **_owner(owners))
    holder = f"port={service.port} is held by pid={next(iter(owners))}" if owners else ""
    return _look(ProcessState.DEAD, f"{where}; {holder or f'nobody listens on port={service.port}'}", **_owner(owners))


def _where(pid: int | None, named: psutil.Process | None, named_as: Whose | None) -> str:
    if named is None:
        told = "is another user's and hidden" if named_as is Whose.UNSEEN else "is gone"
        return f"pid={pid} {told}" if pid else "no pid"
    return f"pid file names somebody else's process pid={pid} name={process_name(named)}"


def _hidden(service: ServiceSettings, owners: Owners, listeners: Listeners, named_as: Whose | None) -> str | None:
    """Say behind what the service may live unseen; None where everything was seen."""
    if named_as is Whose.UNSEEN:
        return "it belongs to another user; run as the user of the service, or set supervisor to systemd or command"
    if listeners.unseen:
        return f"port={service.port} is held by a process of another user, which may not be seen"
    pid = next((one for one, who in owners.items() if who in HIDES), None)
    if pid is None and named_as is Whose.ELSEWHERE and owners:
        pid = next(iter(owners))
    if pid is None:
        return None
    hint = "set process_pattern to tell which process it is"
    return f"port={service.port} is held by pid={pid}, and the service may stand behind it: {hint}"


def _owner(owners: Owners) -> dict[str, Any]:
    process = next((found for pid in owners if (found := _open(pid))), None)
    return {} if process is None else {"port_owner_pid": process.pid, "port_owner_name": process_name(process)}


def _on_machine(
    service: ServiceSettings,
    look: ProcessCheck,
    before: CpuSample,
    waited_before_s: float | None = None,
    members: tuple[ProcessIdentity, ...] = (),
) -> ProcessCheck:
    if not is_local(service):
        return look
    waited_s = run_wait_s(look.pid) if look.pid is not None else None
    waited = 0.0 if waited_s is None or waited_before_s is None else waited_s - waited_before_s
    starved = waited >= STARVED_RATIO * CPU_SAMPLE_S
    own = frozenset(one.pid for one in members)
    update: dict[str, Any] = {"machine": machine_check(service, before, own, starved=starved)}
    if look.pid is not None:
        update |= {"run_wait_s": waited_s, "memory_limit_bytes": memory_limit_bytes(look.pid)}
    return look.model_copy(update=update)


def _describe(
    service: ServiceSettings, found: _Found, members: tuple[ProcessIdentity, ...], before: CpuTimes
) -> ProcessCheck:
    process = found.process
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
                pid_file_fault=_pid_file_fault(service, process.pid),
                listens=listens(service, found.facts, members),
                **numbers_of(process, members, before),
            )
    except psutil.NoSuchProcess:
        return _look(ProcessState.DEAD, f"pid={process.pid} ended during the check")
    except psutil.AccessDenied:
        return _look(ProcessState.BLIND, f"may not read pid={process.pid}; run as the user of the service")


def _pid_file_fault(service: ServiceSettings, pid: int) -> str:
    if service.pid_file is None:
        return ""
    if not service.pid_file.exists():
        return "is missing"
    named = read_pid(service.pid_file)
    if named is None:
        return "holds no pid"
    return "" if named == pid else f"names pid {named}"


def _look(state: ProcessState, detail: str, **facts: Any) -> ProcessCheck:
    return ProcessCheck(state=state, detail=detail, looked_at=datetime.now(UTC), steady_s=time.monotonic(), **facts)


def _open(pid: int) -> psutil.Process | None:
    identity = identify(pid)
    return open_process(identity) if identity else None
