"""Ask the kernel for the listening sockets alone.

The table in /proc is read through all connections of the machine: up to 20 ms where the kernel has room for many, and
each check of a process asks.

Source: sock_diag(7), Linux kernel `include/uapi/linux/inet_diag.h`.
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY, _ERROR, _DONE = 20, 2, 3
_REQUEST_A_DUMP, _CHANGED_MEANWHILE = 0x301, 0x10
_LISTEN = 1 << 10
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBxI48x")
# Family, state, timer, tries; the socket's own port and address; its number, which is the last word.
_ANSWER = struct.Struct("=4x2s2x16s44xI")
# The kernel fills no more than half of this at a time.
_BUFFER_BYTES = 65_536
_TIMEOUT_S = 1.0
_NOWHERE, _LOOPBACK_V6, _MAPPED = bytes(16), bytes(15) + b"\x01", bytes(10) + b"\xff\xff"


class ListeningSocket(NamedTuple):
    """A listening socket by its number; `is_near`: loopback leads to it."""

    number: str
    port: int
    is_near: bool


def listening_sockets() -> list[ListeningSocket] | None:
    """List all that listens for TCP; None where the kernel does not say so this way, or not in one piece."""
    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        return None
    try:
        with socket.socket(family, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
            asked.settimeout(_TIMEOUT_S)
            return [one for kind in (socket.AF_INET, socket.AF_INET6) for one in _dumped(asked, kind)]
    except (OSError, struct.error):
        return None


def _dumped(asked: socket.socket, kind: int) -> Iterator[ListeningSocket]:
    question = _QUESTION.pack(kind, socket.IPPROTO_TCP, 0, _LISTEN)
    asked.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST_A_DUMP, kind, 0) + question)
    while True:
        part, at = asked.recv(_BUFFER_BYTES), 0
        while at < len(part):
            length, what, flags, _, _ = _HEADER.unpack_from(part, at)
            if what == _ERROR or flags & _CHANGED_MEANWHILE or length < _HEADER.size:
                raise OSError("no whole answer")
            if what == _DONE:
                return
            port, address, number = _ANSWER.unpack_from(part, at + _HEADER.size)
            yield ListeningSocket(str(number), int.from_bytes(port, "big"), _is_near(kind, address))
            at += (length + 3) & ~3


def _is_near(kind: int, address: bytes) -> bool:
    if kind == socket.AF_INET:
        return address[0] == 127 or address[:4] == _NOWHERE[:4]
    return address in {_NOWHERE, _LOOPBACK_V6} or (address.startswith(_MAPPED) and address[12] == 127)
