"""One bounded exchange: every end is a value, and no peer can hold it."""

import asyncio
import errno
import gzip
import socket
import struct
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.clients.service.http import Call, exchange, fault_of, http_client
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.service.http_settings import HttpSettings
from tests.fakes.ports import free_port
from tests.fakes.service.wire import Answer, answering, drip, endless, exactly, never


async def ask(url: str, deadline_s: float = 0.5) -> Exchange:
    """Make one bounded GET."""
    async with http_client(HttpSettings(), connect_timeout_s=0.5) as client:
        return await exchange(client, Call("GET", url, deadline_s, body_limit_bytes=10_000))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (exactly(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), Fault.NONE),
        (exactly(b"HTTP/1.1 302 Found\r\nlocation: /health\r\ncontent-length: 0\r\n\r\n"), Fault.NONE),
        (exactly(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nok"), Fault.CUT_OFF),
        (exactly(b""), Fault.CUT_OFF),
        (exactly(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Fault.MALFORMED),
        (never, Fault.TIMED_OUT),
        (drip, Fault.TIMED_OUT),
        (endless, Fault.TOO_LARGE),
    ],
)
async def test_each_way_to_answer_badly_has_its_name(answer: Answer, fault: Fault) -> None:
    """The cause is named by how the peer failed, so the ways must not blur."""
    async with answering(answer) as url:
        assert (await ask(url)).fault is fault


async def test_a_dripping_body_ends_at_the_deadline() -> None:
    """A byte a second must not hold a triage for a minute."""
    async with answering(drip) as url:
        started = time.monotonic()
        await ask(url, deadline_s=0.3)

    assert time.monotonic() - started < 20


async def test_an_endless_body_is_kept_to_its_limit() -> None:
    """A hostile body must not fill our memory."""
    async with answering(endless) as url:
        assert len((await ask(url)).body) <= 10_000


async def test_a_closed_port_is_refused() -> None:
    """Refused means that nobody listens: half of the verdict *down*."""
    assert (await ask(f"http://127.0.0.1:{free_port()}")).fault is Fault.REFUSED


@pytest.mark.parametrize(
    "url", ["http://no-such-host.invalid/", "gopher://127.0.0.1/", "http://127.0.0.1:99999/", "http://"]
)
async def test_a_request_that_could_not_be_made_is_our_own_fault(url: str) -> None:
    """A wrong address says nothing of the service."""
    assert (await ask(url, deadline_s=5)).fault is Fault.CLIENT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
async def test_no_bytes_on_the_wire_raise(data: bytes) -> None:
    """Whatever comes back, the check ends in a value."""
    async with answering(exactly(data)) as url:
        assert isinstance((await ask(url)).fault, Fault)


def packed_answer(body: bytes, encoding: str = "gzip") -> bytes:
    """A whole answer that came packed."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("answer", "fault", "body"),
    [
        (packed_answer(gzip.compress(b'{"status":"ok"}')), Fault.NONE, '{"status":"ok"}'),
        (packed_answer(gzip.compress(b'{"status":"ok"}'), "X-GZIP"), Fault.NONE, '{"status":"ok"}'),
        (packed_answer(gzip.compress(b"orders_total 12\n" * 50)[:40]), Fault.CUT_OFF, ""),
        (packed_answer(b"not packed at all"), Fault.MALFORMED, ""),
        (packed_answer(b"\x1b\x03", "br"), Fault.MALFORMED, ""),
        (packed_answer(b'{"status":"ok"}', "identity"), Fault.NONE, '{"status":"ok"}'),
        (packed_answer(gzip.compress(b"0" * 20_000)), Fault.TOO_LARGE, ""),
    ],
    ids=["gzip", "other case", "cut", "no gzip", "brotli", "plain", "large"],
)
async def test_a_packed_answer_is_read_whole_or_not_at_all(answer: bytes, fault: Fault, body: str) -> None:
    """Numbers of half an archive once stood in a message as facts; and a packed `ok` is a good answer."""
    async with answering(exactly(answer)) as url:
        seen = await ask(url)

    assert (seen.fault, seen.body) == (fault, body)


async def test_a_name_that_does_not_resolve_is_said_to_be_that() -> None:
    """It was reported as a refused connection; and it says nothing of the service, so that nobody acts on it."""
    seen = await ask("http://no-such-host.invalid/", deadline_s=5)

    assert seen.blind
    assert "does not resolve" in seen.detail
    assert "refused" not in seen.detail


@pytest.mark.parametrize("grouped", [True, False])
def test_a_refused_connection_is_refused_whatever_else_went_wrong_before(*, grouped: bool) -> None:
    """An error that was being handled made it *unreachable*: a killed service was then not started."""
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed")
    refused.__context__ = FileNotFoundError(errno.ENOENT, "No such file or directory", "kept.json")
    attempts = OSError("All connection attempts failed")
    attempts.__cause__ = ExceptionGroup("attempts", [refused]) if grouped else refused
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = attempts

    fault, detail = fault_of(error)

    assert fault is Fault.REFUSED
    assert "kept.json" not in detail


async def test_a_name_with_two_addresses_that_both_refuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` is two addresses on most machines, and a killed service listens on neither."""
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both_loopbacks)

    assert (await ask(f"http://localhost:{free_port()}")).fault is Fault.REFUSED


async def both_loopbacks(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
    """Resolve any name to this machine, twice."""
    found = [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("127.0.0.2", port))]
    return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]


async def test_an_answer_before_the_connection_is_reset_is_read() -> None:
    """A gate that refuses an order unread closes on the rest of it; its refusal is the answer all the same."""

    async def refuses(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()

    async with answering(refuses) as url:
        seen = await ask(url)

    assert (seen.fault, seen.http_status, seen.body) == (Fault.NONE, 403, "no")


async def test_what_is_announced_first_is_not_the_answer() -> None:
    """Some servers send early hints, or say that they go on."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    async with answering(exactly(hints + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as url:
        seen = await ask(url)

    assert (seen.http_status, seen.body) == (200, "ok")
