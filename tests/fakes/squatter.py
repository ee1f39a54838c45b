"""A stranger on somebody else's port: it listens, answers nobody, and tells afterwards what it was sent."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.polling import eventually


@contextmanager
def squatting(port: int) -> Iterator[socket.socket]:
    """Sit on a port until the block ends; a process that was just killed may hold it for a moment longer."""
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        eventually(lambda: _sits(squatter, port))
        yield squatter


def _sits(squatter: socket.socket, port: int) -> bool:
    try:
        squatter.bind(("127.0.0.1", port))
        squatter.listen(512)
    except OSError:
        return False
    return True


def heard_by(squatter: socket.socket) -> bytes:
    """Read what was sent on every connection that waits, in lower case."""
    squatter.setblocking(False)
    heard = b""
    while True:
        try:
            connection, _ = squatter.accept()
        except BlockingIOError:
            return heard.lower()
        with connection:
            connection.settimeout(0.2)
            try:
                heard += connection.recv(65_536)
            except OSError:
                continue
