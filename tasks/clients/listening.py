"""Find out who listens on which TCP port, at a cost that follows the number of listeners alone.

psutil reads every connection of the machine for it, also those that wait to be forgotten: 20 ms on a busy one, for each
process that is looked at. The kernel lists the listeners first, so reading may stop where they end.

Source: Linux kernel, Documentation/networking/proc_net_tcp.rst.
"""

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import psutil

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = b"0A"
_SOCKET = "socket:["
# Written as the kernel does, in its own byte order: what ends so is 127.0.0.0/8, also where it is mapped to IPv6.
_LOOPBACK_END, _LOOPBACK_V6 = b"7F", b"00000000000000000000000001000000"
CONNECT_S = 0.2


class Listeners(NamedTuple):
    """Who holds the listening sockets of a port; `unseen`: there is one more whose process we may not see."""

    pids: tuple[int, ...]
    unseen: bool


def listeners_on(port: int) -> Listeners:
    """Find every process that holds a listening socket of a local port, by any address that leads to this machine.

    Errors: none. Where the kernel shows none psutil is asked, and where it may not say, whether a connection is taken.
    """
    wanted = {number for number, taken in _listening_sockets(near=True).items() if taken == port}
    if not wanted:
        return _asked_of_psutil(port)
    pids = (int(name) for name in _names("/proc") if name.isdecimal())
    held = {pid: found for pid in pids if (found := wanted.intersection(_sockets_of(pid)))}
    return Listeners(tuple(sorted(held)), unseen=not wanted <= frozenset[str]().union(*held.values()))


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
    found: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        for table in _TABLES:
            found |= {number: port for number, port, is_near in _listeners(Path(table)) if is_near or not near}
    return found


def _listeners(table: Path) -> Iterator[tuple[str, int, bool]]:
    with table.open("rb") as lines:
        next(lines, None)
        for line in lines:
            words = line.split(maxsplit=10)
            if words[3] != _LISTEN:
                return
            address, _, port = words[1].rpartition(b":")
            near = address.endswith(_LOOPBACK_END) or address == _LOOPBACK_V6 or not address.strip(b"0")
            yield words[9].decode("ascii"), int(port, 16), near


def _sockets_of(pid: int) -> Iterator[str]:
    for name in _names(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{pid}/fd/{name}")  # noqa: PTH115 - a Path for each of thousands costs more
            if target.startswith(_SOCKET):
                yield target[len(_SOCKET) : -1]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - likewise
    except OSError:
        return []
