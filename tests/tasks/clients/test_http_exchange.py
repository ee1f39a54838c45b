"""One bounded exchange: every end is a value, and no peer can hold it."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.clients.http_exchange import Call, exchange, http_client
from tasks.model.looks import Exchange, Fault
from tests.fakes.ports import free_port
from tests.fakes.wire import Answer, answering, drip, endless, exactly, never


async def ask(url: str, deadline_s: float = 0.5) -> Exchange:
    """Make one bounded GET."""
    async with http_client(connect_timeout_s=0.5) as client:
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

    assert time.monotonic() - started < 2


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
    """Whatever comes back, the look ends in a value."""
    async with answering(exactly(data)) as url:
        assert isinstance((await ask(url)).fault, Fault)
