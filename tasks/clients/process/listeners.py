"""Find out who listens on which TCP port, at a cost that follows the number of listeners alone.

psutil reads every connection of the machine for it, also those that wait to be forgotten: 20 ms on a busy one, for each
process that is looked at. Where the kernel cannot be asked for the listeners alone, its table is read: it lists them
first, so reading may stop where they end.

Source: Linux kernel, Documentation/networking/proc_net_tcp.rst.
"""

import contextlib
import os
import platform
import socket
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import psutil

from tasks.clients.process.sock_diag import ListeningSocket, listening_sockets

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = b"0A"
_SOCKET = "socket:["
_EPOLL = "anon_inode:[eventpoll]"
# The numbers of accept and accept4.
ACCEPT_CALLS = {"x86_64": frozenset({43, 288}), "aarch64": frozenset({202, 242})}
# Written as the kernel does, in its own byte order: what ends so is 127.0.0.0/8, also where it is mapped to IPv6.
_LOOPBACK_END, _LOOPBACK_V6 = b"7F", b"00000000000000000000000001000000"
CONNECT_S = 0.2
LOOKS_COUNT, BETWEEN_LOOKS_S = 3, 0.02


class Listeners(NamedTuple):
    """Who holds the listening sockets of a port; `unseen`: there is one more whose process we may not see."""

    pids: tuple[int, ...]
    unseen: bool


def listeners_on(port: int) -> Listeners:
    """Find every process that holds a listening socket of a local port, by any address that leads to this machine.

    Where the kernel shows none psutil is asked, and where it may not say, whether a connection is taken.
    Steps: a socket that is closed, or handed on, between the list and the look at the processes has no holder in it;
    only one that is listed and without a holder in each check is unseen.
    """
    found, left = _look_once(port)
    for _ in range(LOOKS_COUNT - 1):
        if not left:
            break
        time.sleep(BETWEEN_LOOKS_S)
        found, still_left = _look_once(port)
        left &= still_left
    return found._replace(unseen=bool(left)) if found is not None else _asked_of_psutil(port)


def _look_once(port: int) -> tuple[Listeners | None, set[str]]:
    """Find the holders once, and the sockets that had none; None where the kernel lists nobody."""
    wanted = {number for number, taken in _listening_sockets(near=True).items() if taken == port}
    if not wanted:
        return None, set()
    pids = (int(name) for name in _names("/proc") if name.isdecimal())
    held = {pid: found for pid in pids if (found := wanted.intersection(_sockets_of(pid)))}
    return Listeners(tuple(sorted(held)), unseen=False), wanted - frozenset[str]().union(*held.values())


def ports_of(pid: int) -> frozenset[int] | None:
    """Give the ports that a process itself listens on; None where we may not see them."""
    sockets = _listening_sockets()
    found = frozenset(sockets[number] for number in _sockets_of(pid) if number in sockets)
    if found:
        return found
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    return frozenset(one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN and one.laddr)


def serves_on(pid: int, port: int) -> bool:
    """Say whether a process is seen to take the connections of a port itself; one that only holds the socket is not.

    False where nothing shows it, which proves nothing.
    Steps: 1. a thread of it waits in `accept` 2. it is to be woken for the socket (epoll) 3. it has a connection of it
    Source: proc(5), /proc/PID/task/TID/syscall and /proc/PID/fdinfo; syscalls(2).
    """
    listening = {number for number, taken in _listening_sockets(near=True).items() if taken == port}
    links = dict(_links_of(pid))
    held = {number for number, target in links.items() if target in {f"{_SOCKET}{one}]" for one in listening}}
    if not held:
        return False
    return _waits_in_accept(pid, held) or _is_woken_for(pid, held, links) or _has_connection(pid, port)


def _waits_in_accept(pid: int, held: set[int]) -> bool:
    numbers = ACCEPT_CALLS.get(platform.machine(), frozenset())
    for thread in _names(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = Path(f"/proc/{pid}/task/{thread}/syscall").read_text("ascii").split()
            if int(words[0]) in numbers and int(words[1], 16) in held:
                return True
    return False


def _is_woken_for(pid: int, held: set[int], links: dict[int, str]) -> bool:
    for number in (number for number, target in links.items() if target == _EPOLL):
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = Path(f"/proc/{pid}/fdinfo/{number}").read_text("ascii").splitlines()
            if held.intersection(int(line.split()[1]) for line in lines if line.startswith("tfd:")):
                return True
    return False


def _has_connection(pid: int, port: int) -> bool:
    try:
        found = psutil.Process(pid).net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return False
    return any(one.laddr.port == port for one in found if one.status == psutil.CONN_ESTABLISHED)


def accepts(port: int) -> bool:
    """Say whether somebody takes connections on a port of this machine."""
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((host, port), CONNECT_S):
            return True
    return False


def _asked_of_psutil(port: int) -> Listeners:
    try:
        found = [one for one in psutil.net_connections(kind="tcp") if _listens_on(one, port)]
    except (psutil.Error, OSError):
        pids = tuple(sorted(_owners_among(psutil.process_iter(), port)))
        return Listeners(pids, unseen=not pids and accepts(port))
    return Listeners(tuple(sorted({one.pid for one in found if one.pid})), unseen=any(not one.pid for one in found))


def _owners_among(processes: Iterable[psutil.Process], port: int) -> Iterator[int]:
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            if any(_listens_on(one, port) for one in process.net_connections(kind="tcp")):
                yield process.pid


def _listens_on(connection: object, port: int) -> bool:
    address = getattr(connection, "laddr", None)
    if getattr(connection, "status", None) != psutil.CONN_LISTEN or not address:
        return False
    return bool(address.port == port) and _is_near(address.ip)


def _is_near(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    return ip.is_loopback or ip.is_unspecified or bool(getattr(ip, "ipv4_mapped", None))


def _listening_sockets(*, near: bool = False) -> dict[str, int]:
    """Give the port of each listening socket, by the number of the socket; or only those that loopback leads to."""
    found = listening_sockets()
    return {one.number: one.port for one in (_as_written() if found is None else found) if one.is_near or not near}


def _as_written() -> list[ListeningSocket]:
    found: list[ListeningSocket] = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        for table in _TABLES:
            found += _listeners(Path(table))
    return found


def _listeners(table: Path) -> Iterator[ListeningSocket]:
    with table.open("rb") as lines:
        next(lines, None)
        for line in lines:
            words = line.split(maxsplit=10)
            if words[3] != _LISTEN:
                return
            address, _, port = words[1].rpartition(b":")
            near = address.endswith(_LOOPBACK_END) or address == _LOOPBACK_V6 or not address.strip(b"0")
            yield ListeningSocket(words[9].decode("ascii"), int(port, 16), near)


def _sockets_of(pid: int) -> Iterator[str]:
    return (target[len(_SOCKET) : -1] for _, target in _links_of(pid) if target.startswith(_SOCKET))


def _links_of(pid: int) -> Iterator[tuple[int, str]]:
    for name in _names(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError, ValueError):
            # A Path for each of thousands costs more.
            yield int(name), os.readlink(f"/proc/{pid}/fd/{name}")  # noqa: PTH115


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - also
    except OSError:
        return []
