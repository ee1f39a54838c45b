"""Ports of the tests' own, which no other test gets at the same time."""

import itertools
import os
import socket
from contextlib import suppress

# Below those that Linux takes for connections and for servers that name none; each process begins elsewhere in it.
PORTS = range(20_000, 32_000)
_turn = itertools.count(os.getpid() * 1_009)


def free_port() -> int:
    """Find a port that nobody listens on, and that the system gives to nobody who asks for any."""
    while True:
        port = PORTS[next(_turn) % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
