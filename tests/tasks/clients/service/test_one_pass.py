"""One pass of checks asks a service for its health once, over one client; in a run as anywhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from prefect import flow

from flows.triage import look_around
from tasks.clients.service import one_pass as module
from tasks.clients.service.http import HttpClient, http_client
from tasks.clients.service.one_pass import OnePass, one_pass, pass_under_way
from tasks.model.probes.probes import HealthProbe, Seen
from tasks.model.service.http_settings import HttpSettings
from tasks.settings import ServiceSettings, load_settings
from tasks.work.triage.probe_pass import observe
from tests.fakes.incident.observations import health
from tests.fakes.service.scripted import Asked, replied, scripted

HEALTH = {"status": "ok", "release": "1.0.0", "dependencies": {}}
ASKED_ONCE = ["/health", "/metrics", "/orders", "/routing"]


def answered(asked: Asked) -> bytes:
    """Answer as a service that is healthy and takes no order."""
    return replied(200, HEALTH) if asked.path == "/health" else replied(404)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Count the clients that are opened."""
    kept: list[float] = []

    @asynccontextmanager
    async def counted(http: HttpSettings, connect_timeout_s: float) -> AsyncIterator[HttpClient]:
        kept.append(connect_timeout_s)
        async with http_client(http, connect_timeout_s) as client:
            yield client

    monkeypatch.setattr(module, "http_client", counted)
    return kept


async def requests_of(
    observing: Callable[[ServiceSettings], Awaitable[object]], patch: pytest.MonkeyPatch
) -> list[str]:
    """Observe a service with one test order, and count what it was asked."""
    async with scripted(answered) as (url, kept):
        orders = '{"equity": {"symbol": "ZVZZT"}}'
        patch.setenv("RUNBOOK_SERVICES", f'{{"order-service": {{"base_url": "{url}", "synthetic_orders": {orders}}}}}')
        await observing(load_settings().service("order-service"))
    return sorted(asked.path for asked in kept)


async def test_one_pass_asks_for_the_health_once(opened: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The test order waits for the same answer: a service that is slow is not asked twice as often for it."""
    asked = await requests_of(observe, monkeypatch)

    assert asked == ASKED_ONCE
    assert len(opened) == 1


@pytest.mark.prefect
async def test_the_steps_of_a_run_ask_for_the_health_once(
    prefect: str, opened: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a task of its own in the Prefect UI, and they share what a pass shares."""
    assert prefect

    @flow(name="one-pass")
    async def run() -> None:
        await look_around("order-service")

    asked = await requests_of(lambda _: run(), monkeypatch)

    assert asked == ASKED_ONCE
    assert len(opened) == 1


async def test_who_gives_up_takes_the_answer_from_nobody_else() -> None:
    """A step that runs into its timeout must not make another one blind."""
    answers = asyncio.Event()

    async def ask() -> HealthProbe:
        await answers.wait()
        return health()

    shared = OnePass()
    hasty, patient = (asyncio.create_task(shared.health(ask)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    answers.set()

    assert (await patient).seen is Seen.PASSED
    with pytest.raises(asyncio.CancelledError):
        await hasty


async def test_the_next_pass_asks_again() -> None:
    """Three failed checks are three answers, never one that is told three times."""
    first = None
    async with one_pass():
        first = pass_under_way()
    async with one_pass():
        assert pass_under_way() is not first
    assert pass_under_way() is None
