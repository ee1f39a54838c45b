"""Find out who listens on which TCP port, at a cost that follows the number of listeners alone.

psutil reads every connection of the machine for it, also those that wait to be forgotten: 20 ms on a busy one, for each
process that is looked at. The kernel lists the listeners first, so reading may stop where they end.

Source: Linux kernel, Documentation/networking/proc_net_tcp.rst.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = b"0A"
_SOCKET = "socket:["


def ports_of(pid: int) -> frozenset[int]:
    """Give the ports that a process is seen to listen on; none proves nothing, and is asked of psutil."""
    sockets = _listening_sockets()
    return frozenset(sockets[number] for number in _sockets_of(pid) if number in sockets)


def listener_on(port: int) -> int | None:
    """Give a process that is seen to listen on a port; None proves nothing, and is asked of psutil."""
    wanted = {number for number, taken in _listening_sockets().items() if taken == port}
    if not wanted:
        return None
    pids = (int(name) for name in _names("/proc") if name.isdecimal())
    return next((pid for pid in pids if not wanted.isdisjoint(_sockets_of(pid))), None)


def _listening_sockets() -> dict[str, int]:
    """Give the port of each listening socket, by the number of the socket."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        for table in _TABLES:
            found |= dict(_listeners(Path(table)))
    return found


def _listeners(table: Path) -> Iterator[tuple[str, int]]:
    with table.open("rb") as lines:
        next(lines, None)
        for line in lines:
            words = line.split(maxsplit=10)
            if words[3] != _LISTEN:
                return
            yield words[9].decode("ascii"), int(words[1].rpartition(b":")[2], 16)


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
