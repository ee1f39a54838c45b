"""Events for whoever listens; a listener that is dead or slow costs the orders nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from order_service.telemetry.events import TROUBLE, event_name
from tests.fakes.ports import free_port
from tests.order_service.desk import desk_at, eventually, order
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live


class Receiver:
    """An event endpoint that remembers what it got."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.hang = False
        self.authorizations: set[str | None] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Take a list of events."""
        self.authorizations.add(request.headers.get("Authorization"))
        if self.hang:
            await asyncio.sleep(30)
        self.events.extend(await request.json())
        return web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver on a free port."""
    receiver, port = Receiver(), free_port()
    app = web.Application()
    app.router.add_post("/events", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield receiver, f"http://127.0.0.1:{port}/events"
    await runner.cleanup()


async def test_incidents_and_heartbeats_arrive_as_events(
    tmp_path: Path, gateway: FakeGateway, receiver: tuple[Receiver, str]
) -> None:
    """Triage is started by the event, not by the next minute."""
    seen, url = receiver
    async with desk_at(tmp_path / "s", gateway, events_url=url, heartbeat_s=0.1):
        await gateway.close()
        await eventually(
            lambda: {"order-service.incident", "order-service.heartbeat"} <= {e["event"] for e in seen.events}
        )

    event = next(event for event in seen.events if event["event"] == "order-service.incident")
    assert set(event) == {"occurred", "event", "resource", "payload", "id"}
    assert event["resource"]["prefect.resource.id"] == "order-service.order-service"
    assert len({event["id"] for event in seen.events}) == len(seen.events)


async def test_a_prefect_that_asks_for_a_login_gets_it(
    tmp_path: Path, gateway: FakeGateway, receiver: tuple[Receiver, str]
) -> None:
    """Without it every event would be refused, and no incident of the service's would start a triage."""
    (tmp_path / "login").write_text("desk:opensesame\n", "utf-8")
    seen, url = receiver
    async with desk_at(
        tmp_path / "s", gateway, events_url=url, heartbeat_s=0.1, events_credentials_file=tmp_path / "login"
    ):
        await eventually(lambda: seen.events)

    assert seen.authorizations == {"Basic ZGVzazpvcGVuc2VzYW1l"}


@pytest.mark.parametrize("dead", [True, False], ids=["refusing", "hanging"])
async def test_a_dead_receiver_slows_no_order(
    tmp_path: Path, gateway: FakeGateway, receiver: tuple[Receiver, str], *, dead: bool
) -> None:
    """Telling never blocks trading."""
    seen, url = receiver
    seen.hang = True
    target = f"http://127.0.0.1:{free_port()}/events" if dead else url
    async with desk_at(tmp_path / "s", gateway, events_url=target, heartbeat_s=0.1) as desk:
        started = time.monotonic()
        answers = [await desk.send(order()) for _ in range(20)]
        elapsed_s = time.monotonic() - started

    assert {answer.status_code for answer in answers} == {201}
    assert elapsed_s < 15


@pytest.mark.parametrize("kind", sorted(TROUBLE))
def test_each_trouble_is_an_incident(kind: str) -> None:
    """One name for all that a triage is started for at once."""
    assert event_name({"type": kind, "details": {"count": 3, "synthetic_count": 1}}) == "order-service.incident"


@pytest.mark.parametrize("kind", ["service_started", "service_stopped", "control_changed", "gateway_recovered"])
def test_what_is_no_trouble_has_its_own_name(kind: str) -> None:
    """A restart or a pause by the automation must not start the next triage."""
    assert event_name({"type": kind, "details": {}}) == f"order-service.{kind}"


def test_test_orders_that_fail_start_no_triage() -> None:
    """A triage sends test orders: its own failures would start the next one, for as long as a gateway is down."""
    failed = {"type": "order_routing_failed", "details": {"count": 4, "synthetic_count": 4}}

    assert event_name(failed) == "order-service.order_routing_failed"
