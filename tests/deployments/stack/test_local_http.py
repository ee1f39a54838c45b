"""Asking a part of the stack: whatever is there, or is not, is a value."""

import socket
import threading
from collections.abc import Iterator

import pytest

from deployments.stack.local_http import answers, ask

pytestmark = pytest.mark.live


@pytest.fixture
def stranger() -> Iterator[str]:
    """Somebody on the port who speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        greeting = threading.Thread(target=greet, daemon=True)
        greeting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        listener.shutdown(socket.SHUT_RDWR)
    greeting.join(5)


@pytest.mark.parametrize(
    "url", ["prefect.example.com/api", "http://host:abc/api", "http://ho st/api", "http://[::1/api"]
)
def test_an_address_that_is_none_is_nobody(url: str) -> None:
    """PREFECT_API_URL is typed by people."""
    assert ask(url) is None
    assert not answers(url)


def test_a_stranger_on_the_port_is_nobody(stranger: str) -> None:
    """`runbook status` is asked just then."""
    assert ask(stranger) is None
    assert not answers(stranger)
