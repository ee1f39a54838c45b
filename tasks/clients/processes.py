"""The only door to the operating system's processes (psutil): identify, read, end, find the owner of a port."""

import functools
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from tasks.clients.listening import listener_on, ports_of
from tasks.model.processes import ProcessIdentity

# A process start time is read from clock ticks; two reads of one process differ by less than this.
SAME_START_S = 0.05
POLL_S = 0.02
NAME_LIMIT_COUNT = 100


def identify(pid: int) -> ProcessIdentity | None:
    """Identify a living process, or say None. A zombie is dead: it holds a pid and nothing else."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return identity_of(process)
    except psutil.Error:
        return None


def identity_of(process: psutil.Process) -> ProcessIdentity:
    """Name a process for good; by the kernel's own count since the boot where it tells, as the clock may be set.

    Errors: psutil's own.
    Source: proc(5), `starttime` of /proc/PID/stat, and /proc/sys/kernel/random/boot_id.
    """
    since_boot_s = _since_boot_s(process.pid) if _boot_id() else None
    if since_boot_s is None:
        return ProcessIdentity(pid=process.pid, created_at_s=process.create_time())
    return ProcessIdentity(pid=process.pid, created_at_s=since_boot_s, boot=_boot_id())


def _since_boot_s(pid: int) -> float | None:
    try:
        # The name, in brackets, may hold anything; the start is the 20th word after it.
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(words[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def open_process(identity: ProcessIdentity) -> psutil.Process | None:
    """Open the very process that was identified, or None when it is gone or its pid was reused."""
    try:
        process = psutil.Process(identity.pid)
        now = identity_of(process)
        # One that was written down without its boot is known by the clock alone.
        created_at_s = now.created_at_s if now.boot == identity.boot else process.create_time()
        same = identity.boot in {now.boot, ""} and abs(created_at_s - identity.created_at_s) < SAME_START_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def is_running(identity: ProcessIdentity) -> bool:
    """Say whether the identified process still lives; stopped counts as living, a zombie does not."""
    return open_process(identity) is not None


def terminate(identity: ProcessIdentity, grace_s: float, kill_wait_s: float = 5.0) -> bool:
    """End a process and its children: ask, wait, then kill what is left. Say whether all are gone.

    Errors: none; `False` means that something outlived SIGKILL (an uninterruptible wait) or may not be signalled.
    """
    root = open_process(identity)
    if root is None:
        return True
    family = [root, *_children(root)]
    if grace_s > 0:
        _signal(family[:1], kill=False)
        _living_after(family[:1], grace_s)
        family += [child for child in _children(root) if child not in family]
    _signal(family, kill=True)
    return not _living_after(family, kill_wait_s)


def port_owner(port: int) -> psutil.Process | None:
    """Find the process that listens on a TCP port, or None where nothing does or we may not see it."""
    seen = listener_on(port)
    if seen is not None:
        return _process(seen)
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, OSError):
        return _owner_among(psutil.process_iter(), port)
    for connection in connections:
        if _listens_on(connection, port) and connection.pid:
            return _process(connection.pid)
    return None


def listens(process: psutil.Process, port: int) -> bool:
    """Say whether a process, or one of its children, listens on a TCP port."""
    return port in listening_ports(process) or any(port in listening_ports(child) for child in _children(process))


def listening_ports(process: psutil.Process) -> frozenset[int]:
    """Find the TCP ports that a process listens on itself; none where we may not see them."""
    seen = ports_of(process.pid)
    if seen:
        return seen
    try:
        found = process.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return frozenset()
    return frozenset(one.laddr.port for one in found if one.status == psutil.CONN_LISTEN and one.laddr)


def read_pid(path: Path) -> int | None:
    """Read a pid file: the first number of the first line, or None."""
    try:
        words = path.read_text("utf-8", errors="replace").split()
    except OSError:
        return None
    return int(words[0]) if words and words[0].isdecimal() and 0 < int(words[0]) < 2**31 else None


def process_name(process: psutil.Process) -> str:
    """Name a process as the operating system does; what is no text in its name, anybody may choose one, is a `?`."""
    try:
        return process.name().encode("utf-8", "replace").decode("utf-8")[:NAME_LIMIT_COUNT]
    except psutil.Error:
        return "unreadable"


def is_within(pid: int, root_pid: int) -> bool:
    """Say whether a process is another one, or was started by it or by its children."""
    if pid == root_pid:
        return True
    try:
        return root_pid in {parent.pid for parent in psutil.Process(pid).parents()}
    except psutil.Error:
        return False


def own_pid() -> int:
    """Name our own process, for lock owners and the ledger."""
    return os.getpid()


def own_host() -> str:
    """Name our own host, for lock owners that other hosts read."""
    return socket.gethostname()


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _signal(processes: list[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            process.kill() if kill else process.terminate()
        except psutil.Error:
            continue


def _living_after(processes: list[psutil.Process], wait_s: float) -> list[psutil.Process]:
    """Wait until all are dead, and give those that are not. A zombie is: only its parent can take the rest away."""
    deadline = time.monotonic() + wait_s
    while (alive := [process for process in processes if _lives(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return alive


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _owner_among(processes: Iterable[psutil.Process], port: int) -> psutil.Process | None:
    for process in processes:
        try:
            if any(_listens_on(connection, port) for connection in process.net_connections(kind="tcp")):
                return process
        except (psutil.Error, OSError):
            continue
    return None


def _listens_on(connection: object, port: int) -> bool:
    address = getattr(connection, "laddr", None)
    listening = getattr(connection, "status", None) == psutil.CONN_LISTEN
    return listening and bool(address) and getattr(address, "port", None) == port
