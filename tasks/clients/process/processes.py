"""The only door to the operating system's processes (psutil): identify, read, signal, end."""

import contextlib
import functools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from tasks.clients.files.regular_file import read_regular
from tasks.clients.process.listeners import listeners_on
from tasks.model.probes.processes import ProcessIdentity

# A process start time is read from clock ticks; two reads of one process differ by less than this.
SAME_START_S = 0.05
POLL_S = 0.02
# A process that is being killed may fork once more before it dies.
KILL_ROUNDS_COUNT = 5
# Windows knows no other way to end a process.
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
NAME_LIMIT_COUNT = 100
PID_FILE_LIMIT_BYTES = 4096
STAT_LIMIT_BYTES = 4096


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


def own_start_s() -> float:
    """Say when this process began. Units: seconds since the epoch.

    Errors: psutil's own.
    """
    return psutil.Process().create_time()


def _since_boot_s(pid: int) -> float | None:
    try:
        return int(_stat_words(pid)[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _stat_words(pid: int) -> list[bytes]:
    """Read what the kernel tells of a process after its name, which stands in brackets and may hold anything."""
    # Without a Path and a buffer, which cost more than the reading.
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        return os.read(descriptor, STAT_LIMIT_BYTES).rpartition(b")")[2].split()
    finally:
        os.close(descriptor)


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


Family = Callable[[psutil.Process], Iterable[ProcessIdentity]]


def children_of(process: psutil.Process) -> list[ProcessIdentity]:
    """Identify all that a process has started, and what these have started; only for what we started ourselves."""
    try:
        return [found for child in process.children(recursive=True) if (found := identify(child.pid))]
    except psutil.Error:
        return []


def terminate(
    identity: ProcessIdentity, grace_s: float, kill_wait_s: float = 5.0, family: Family = children_of
) -> bool:
    """End a process and its family: ask it, wait, then kill what is left. Say whether all are gone.

    `False` means that something outlived SIGKILL (an uninterruptible wait) or may not be signalled.
    """
    root = open_process(identity)
    if root is None:
        return True
    members = dict.fromkeys([identity, *family(root)])
    if grace_s > 0:
        send(identity, signal.SIGTERM)
        _living_after([identity], grace_s)
        members |= dict.fromkeys(family(root))
    for _ in range(KILL_ROUNDS_COUNT):
        for member in members:
            send(member, KILL)
        forked = dict.fromkeys(one for one in family(root) if one not in members)
        members |= forked
        if not forked:
            break
    return not _living_after(members, kill_wait_s)


def port_owner(port: int) -> psutil.Process | None:
    """Find a process that holds the listening socket of a port; None where nobody does or we may not see it."""
    return next((found for pid in listeners_on(port).pids if (found := _process(pid))), None)


def own_line() -> frozenset[int]:
    """Name ourselves and every process that we descend from: what must never be signalled."""
    return frozenset({1, os.getpid(), *ancestors_of(os.getpid())})


def ancestors_of(pid: int) -> tuple[int, ...]:
    """Name the processes that a process descends from, its parent first; as far as they are to be seen."""
    found: list[int] = []
    with contextlib.suppress(psutil.Error):
        while (parent := parent_of(found[-1] if found else pid)) and parent not in found:
            found.append(parent)
    return tuple(found)


def parent_of(pid: int) -> int:
    """Name the process that started another, or that took it over since; 0 where there is none.

    Errors: psutil's own.
    """
    try:
        # As psutil does, at a tenth of its cost: this is asked for each process that is looked at.
        return int(_stat_words(pid)[1])
    except (OSError, ValueError, IndexError):
        return psutil.Process(pid).ppid() or 0


def exists_unseen(pid: int) -> bool:
    """Say whether there is a process of another user by this number, also where the system hides it from us."""
    return os.name == "posix" and not may_signal(pid)


def may_signal(pid: int) -> bool:
    """Say whether we may signal a process; one that is gone needs nobody's leave."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def send(identity: ProcessIdentity, number: int) -> bool:
    """Signal the very process that was identified, and no other that has its number by now; say whether it was sent.

    We ourselves, what we descend from and the first process are never signalled.
    Source: pidfd_open(2): a descriptor stands for one process, so that what is proven after it was opened stays true.
    """
    if identity.pid in own_line():
        return False
    with held(identity.pid) as descriptor:
        process = open_process(identity)
        if process is None:
            return False
        try:
            if descriptor is None:
                process.send_signal(number)
            else:
                signal.pidfd_send_signal(descriptor, number)
        except (psutil.Error, OSError):
            return False
    return True


@contextlib.contextmanager
def held(pid: int) -> Iterator[int | None]:
    """Hold a process by a descriptor, so that its number is nobody else's; None where that cannot be."""
    opener = getattr(os, "pidfd_open", None)
    try:
        descriptor = opener(pid) if opener else None
    except OSError:
        descriptor = None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def read_pid(path: Path) -> int | None:
    """Read a pid file: the first number of the first line, or None."""
    try:
        words = read_regular(path, PID_FILE_LIMIT_BYTES).decode("utf-8", errors="replace").split()
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
    return os.getpid()


def own_host() -> str:
    return socket.gethostname()


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _living_after(identities: Iterable[ProcessIdentity], wait_s: float) -> list[ProcessIdentity]:
    """Wait until all are dead, and give those that are not. A zombie is: only its parent can take the rest away."""
    deadline = time.monotonic() + wait_s
    while (alive := [one for one in identities if is_running(one)]) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return alive
