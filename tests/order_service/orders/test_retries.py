"""A retry under the same id is safe, and helps where the service asked for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from order_service.api.contract import OrderStatus
from order_service.journal.rows import JournaledOrder
from order_service.orders.reconciler import PROOF_GAP_S, Reconciler
from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway


@pytest.fixture
async def throttled(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[Desk]:
    """A service that lets a strategy send one order a second, by a clock that stands still."""
    lay_out(tmp_path / "s", gateway.base_url)
    table = tmp_path / "s" / "routing.toml"
    text = table.read_text()
    assert "max_orders_per_s = 5000" in text
    table.write_text(text.replace("max_orders_per_s = 5000", "max_orders_per_s = 1"))
    async with desk_at(tmp_path / "s", gateway) as running:
        running.service.features._clock = lambda: 1000.0
        yield running


def later(desk: Desk, seconds: float) -> None:
    """Let time go by."""
    now = desk.service.features._clock() + seconds
    desk.service.features._clock = lambda: now


async def test_the_retry_that_a_throttled_order_is_asked_for_succeeds(throttled: Desk) -> None:
    """The same id is the only safe retry; one that never succeeds drives a client to a new id, and to trade twice."""
    await throttled.send(order())
    body = order()

    refused = await throttled.send(body)
    listed = (await throttled.http.get(f"/orders/{body['client_order_id']}")).status_code
    later(throttled, float(refused.headers["Retry-After"]))
    retried = await throttled.send(body)

    assert (refused.status_code, refused.json()["error"]["code"], listed) == (429, "ORDER_RATE_EXCEEDED", 404)
    assert (retried.status_code, retried.json()["status"]) == (201, "filled")
    assert throttled.gateway.posts.count(body["client_order_id"]) == 1


async def test_a_repeated_order_takes_no_place_from_a_new_one(throttled: Desk) -> None:
    """A client that asks again for an answer must not stop the desk from trading."""
    first = order()
    answered = await throttled.send(first)
    later(throttled, 1)

    repeated = [await throttled.send(first) for _ in range(5)]
    new = await throttled.send(order())

    assert {again.content for again in repeated} == {answered.content}
    assert new.status_code == 201


async def test_a_repeated_order_gets_its_answer_when_no_place_is_left(throttled: Desk) -> None:
    """It asks for nothing that a rate could be too high for."""
    first = order()
    answered = await throttled.send(first)

    again, other = await throttled.send(first), await throttled.send({**first, "quantity": "11"})

    assert (again.status_code, again.content) == (201, answered.content)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "DUPLICATE_CLIENT_ORDER_ID")


async def test_an_order_that_is_denied_otherwise_takes_no_place(throttled: Desk) -> None:
    """What is never sent is no order at the venue."""
    await throttled.send(order())
    later(throttled, 1)

    denied = await throttled.send(order(order_type="limit", limit_price="500"))
    sent = await throttled.send(order())

    assert (denied.json()["error"]["code"], sent.status_code) == ("PRICE_OUTSIDE_BAND", 201)


async def test_an_order_that_was_throttled_for_good_by_an_earlier_release_is_asked_for_no_retry(desk: Desk) -> None:
    """Its id stays denied in the journal; a header that promises more is a loop without end."""
    body = order()
    await desk.set("trading/equity", state="halted")
    await desk.send(body)
    row = await desk.service.journal.find(body["client_order_id"])
    assert row is not None
    error = b'{"code":"ORDER_RATE_EXCEEDED","message":"too many","field":"strategy"}'
    await desk.service.journal.settle(replace(row, error=error))

    answer = await desk.send(body)

    assert answer.status_code == 429
    assert "retry-after" not in answer.headers


async def test_an_order_that_the_journal_denied_for_slowness_is_denied_to_who_asks_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 says "it is out there": the desk would wait for a fill of an order that never left."""
    journal = desk.service.journal
    put = journal._running().put
    held: list[object] = []
    monkeypatch.setattr(journal, "begin_timeout_s", 0.05)
    monkeypatch.setattr(journal._running(), "put", held.append)
    body = order()
    refused = await desk.send(body)
    monkeypatch.setattr(journal, "begin_timeout_s", 3.0)
    retry = asyncio.create_task(desk.send(body))
    await eventually(lambda: len(held) == 2)
    monkeypatch.setattr(journal._running(), "put", put)
    for entry in held:
        put(entry)  # type: ignore[arg-type]

    answer = await retry

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "JOURNAL_UNAVAILABLE")
    assert (answer.status_code, answer.json()["status"]) == (503, "denied")
    assert desk.gateway.posts == []


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
async def test_a_clock_that_is_set_neither_proves_nor_hides_that_an_order_never_arrived(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """The desk sends an order again that never arrived: only time that has passed may say so, no clock that was set."""
    running = [100.0]
    reconciler = Reconciler(desk.service.gateways, desk.service.recorder, desk.service.metrics, 1.0, lambda: running[0])
    wall = time.time
    reconciler.watch(await _unknown(desk))
    monkeypatch.setattr(time, "time", lambda: wall() + jump_s)

    proven = []
    for passed_s in (0.5, PROOF_GAP_S, 0.5, PROOF_GAP_S):
        running[0] += passed_s
        await reconciler.ask_all()
        proven.append(len(reconciler) == 0)

    assert proven == [False, False, False, True]


async def _unknown(desk: Desk) -> JournaledOrder:
    """Journal an order that the gateway does not know, whose sending ended just now."""
    body = order()
    await desk.set("trading/equity", state="halted")
    await desk.send(body)
    row = await desk.service.journal.find(body["client_order_id"])
    assert row is not None
    return replace(row, status=OrderStatus.UNKNOWN, gateway="XNAS", send_deadline_at=time.time())
