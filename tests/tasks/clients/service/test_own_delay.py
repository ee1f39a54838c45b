"""A monitor that is held up hears nobody: that says nothing of the service, and must never restart it."""

import asyncio
import time
from datetime import UTC, datetime

from tasks.clients.service.http import Call, exchange, http_client
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome, Seen
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.probes.health import judge_health
from tasks.rules.probes.metrics import metrics_fault
from tasks.rules.probes.synthetic_result import judge_order
from tests.fakes.service.wire import answering, never

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


async def ask(url: str, deadline_s: float, stalls_s: float) -> Exchange:
    """Make one GET, while other work holds up the event loop for so long."""

    async def stall() -> None:
        await asyncio.sleep(0.02)
        time.sleep(stalls_s)  # noqa: ASYNC251 - holding up the loop is what is tried

    stalling = asyncio.create_task(stall())
    async with http_client(HttpSettings(), connect_timeout_s=5.0) as client:
        found = await exchange(client, Call("GET", url, deadline_s))
    await stalling
    return found


async def test_silence_is_no_silence_where_we_ourselves_stood_still() -> None:
    """A triage on a machine without a free core would else call every service hung."""
    async with answering(never) as url:
        found = await ask(url, deadline_s=0.5, stalls_s=0.6)

    look = judge_health(found, NOW)
    assert found.fault is Fault.TIMED_OUT
    assert found.held_up
    assert (look.seen, look.silent) == (Seen.BLIND, False)


async def test_a_service_that_says_nothing_while_we_listen_is_silent() -> None:
    """The guard must not make a hang invisible."""
    async with answering(never) as url:
        found = await ask(url, deadline_s=0.5, stalls_s=0.0)

    look = judge_health(found, NOW)
    assert not found.held_up
    assert (look.seen, look.silent) == (Seen.FAILED, True)


async def test_a_short_delay_of_ours_takes_nothing_from_a_long_silence() -> None:
    """A busy machine is no excuse for a service that had most of the time to answer."""
    async with answering(never) as url:
        found = await ask(url, deadline_s=1.2, stalls_s=0.3)

    assert not found.held_up


def test_every_look_that_was_held_up_is_blind() -> None:
    """Blind never acts, whichever look it was."""
    found = Exchange(method="GET", url="http://service", fault=Fault.TIMED_OUT, held_up=True)
    metrics = metrics_fault(found, NOW)

    assert metrics is not None
    assert metrics.seen is Seen.BLIND
    assert judge_order(found).outcome is OrderOutcome.BLIND
