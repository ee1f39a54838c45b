"""Who listens where, at a cost that does not grow with the connections of a busy machine."""

import os
import socket
import sys
from collections.abc import Iterator

import psutil
import pytest

from tasks.clients.listening import listener_on, ports_of
from tasks.clients.processes import listening_ports, port_owner

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; elsewhere psutil is asked")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket of ours that listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(1)
        yield one


@LINUX
def test_a_listener_is_found_by_its_port_and_by_its_process(listener: socket.socket) -> None:
    """Who holds the port is what decides whether a restart can help, and whom it may touch."""
    port = listener.getsockname()[1]

    assert listener_on(port) == os.getpid()
    assert port in ports_of(os.getpid())


@LINUX
def test_a_connection_is_no_listener(listener: socket.socket) -> None:
    """A client of the service is not the service."""
    with socket.create_connection(listener.getsockname()) as client:
        port = client.getsockname()[1]

        assert listener_on(port) is None
        assert port not in ports_of(os.getpid())


def test_where_the_quick_way_sees_nothing_psutil_is_asked(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that lists its sockets otherwise must not make a living service look dead."""
    monkeypatch.setattr("tasks.clients.processes.listener_on", lambda _: None)
    monkeypatch.setattr("tasks.clients.processes.ports_of", lambda _: frozenset())
    port = listener.getsockname()[1]
    owner = port_owner(port)

    assert owner is not None
    assert owner.pid == os.getpid()
    assert port in listening_ports(psutil.Process())
