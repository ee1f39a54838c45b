"""Who listens where, at a cost that does not grow with the connections of a busy machine."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tasks.clients.process import listeners
from tasks.clients.process.listeners import _as_written, _is_near, _sockets_of, listeners_on, ports_of
from tasks.clients.process.processes import port_owner
from tasks.clients.process.sock_diag import listening_sockets

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

    assert listeners_on(port) == ((os.getpid(),), False)
    assert port in (ports_of(os.getpid()) or ())


@LINUX
def test_the_kernel_and_its_table_name_the_same_listeners() -> None:
    """Where the kernel may not be asked for the listeners alone, the slower way must not see other ones."""
    with contextlib.ExitStack() as stack:
        for host in ("127.0.0.1", "", "127.0.0.9", "::1", "::"):
            one = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
            one.bind((host, 0))
            one.listen(1)

        asked, ours = listening_sockets(), _sockets_of(os.getpid())

        assert asked is not None
        own = frozenset(ours)
        assert {one for one in asked if one.number in own} == {one for one in _as_written() if one.number in own}
        assert len([one for one in asked if one.number in own]) >= 5


@LINUX
def test_a_connection_is_no_listener(listener: socket.socket) -> None:
    """A client of the service is not the service."""
    with socket.create_connection(listener.getsockname()) as client:
        port = client.getsockname()[1]

        assert listeners_on(port) == ((), False)
        assert port not in (ports_of(os.getpid()) or ())


@LINUX
def test_everybody_who_holds_the_socket_is_named(listener: socket.socket) -> None:
    """A parent that only holds it comes first by its number; whoever serves on it must be seen beside it."""
    listener.set_inheritable(True)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
    try:
        assert listeners_on(listener.getsockname()[1]).pids == tuple(sorted((os.getpid(), child.pid)))
    finally:
        child.kill()
        child.wait()


@LINUX
def test_a_listener_whose_process_is_hidden_is_there_all_the_same(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's process shows no descriptors: "nobody listens" would start a second service beside it."""
    monkeypatch.setattr("tasks.clients.process.listeners._sockets_of", lambda _: iter(()))

    assert listeners_on(listener.getsockname()[1]) == ((), True)


@LINUX
def test_a_socket_that_is_gone_by_the_next_look_is_nobodys(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed between the list and the look at the processes: it was said to be another user's, and nothing started."""
    port = listener.getsockname()[1]
    kernels, looks = listeners._listening_sockets, iter(({"1": port}, {"2": port}))
    monkeypatch.setattr(listeners, "_listening_sockets", lambda **how: {**kernels(**how), **next(looks, {})})

    assert listeners_on(port) == ((os.getpid(),), False)


def test_where_the_quick_way_sees_nothing_psutil_is_asked(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that lists its sockets otherwise must not make a living service look dead."""
    monkeypatch.setattr("tasks.clients.process.listeners._listening_sockets", lambda **_: {})
    port = listener.getsockname()[1]
    owner = port_owner(port)

    assert owner is not None
    assert owner.pid == os.getpid()
    assert port in (ports_of(os.getpid()) or ())


def test_where_nobody_may_say_who_listens_a_connection_tells(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any leave to see sockets a port that takes connections is still no free one."""

    def denied(**_: object) -> object:
        raise psutil.AccessDenied

    monkeypatch.setattr("tasks.clients.process.listeners._listening_sockets", lambda **_: {})
    monkeypatch.setattr(psutil, "net_connections", denied)
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(()))
    port = listener.getsockname()[1]

    assert listeners_on(port) == ((), True)
    listener.close()
    assert listeners_on(port) == ((), False)


@LINUX
def test_a_listener_on_another_address_is_not_on_ours() -> None:
    """The same port of the machine's outer address is another service's."""
    assert not _is_near("192.0.2.7")
    assert _is_near("0.0.0.0")  # noqa: S104 - nothing listens there
    assert _is_near("::ffff:127.0.0.1")
    assert _is_near("::1")
