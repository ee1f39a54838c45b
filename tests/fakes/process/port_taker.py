"""A stranger on somebody else's port: it listens, answers nobody, and tells afterwards what it was sent."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.polling import eventually
from tests.house.source import REPOSITORY


@contextmanager
def squatting(port: int) -> Iterator[socket.socket]:
    """Sit on a port until the block ends; a process that was just killed may hold it for a moment longer."""
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        eventually(lambda: _sits(squatter, port))
        yield squatter


@contextmanager
def squatting_process(port: int) -> Iterator[int]:
    """Let a process of its own sit on a port, and give its pid: what starts a check is never a stranger to it."""
    sits = f"with squatting({port}):\n    print('sits', flush=True)\n    time.sleep(600)"
    program = f"import time\nfrom tests.fakes.process.port_taker import squatting\n{sits}"
    with subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE) as stranger:
        try:
            assert stranger.stdout
            assert stranger.stdout.readline() == b"sits\n"
            yield stranger.pid
        finally:
            stranger.kill()


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
