"""One order, one send, one answer."""

import asyncio
from decimal import Decimal

import pytest

from tests.order_service.desk import Desk, order

EXECUTION_KEYS = {
    *("gateway", "gateway_order_id", "exec_id", "exec_type", "ord_status", "last_qty", "last_px", "cum_qty"),
    *("leaves_qty", "avg_px", "transact_time", "latency_ms", "reject"),
}
ORDER_KEYS = {
    *("order_id", "client_order_id", "asset_class", "status", "gateway", "release", "accepted_at", "synthetic"),
    "execution",
}


async def test_a_filled_order_has_exactly_the_contracts_shape(desk: Desk) -> None:
    """Whoever probes with a synthetic order reads these keys and no others."""
    answer = await desk.send(order())

    document = answer.json()
    assert answer.status_code == 201
    assert set(document) == ORDER_KEYS
    assert set(document["execution"]) == EXECUTION_KEYS
    assert document["status"] == "filled"
    assert document["execution"]["last_px"] == "100.5"


async def test_the_same_order_again_gets_the_first_answer_and_is_sent_once(desk: Desk) -> None:
    """A client that lost the answer may ask again without trading twice."""
    body = order()

    first, second = await desk.send(body), await desk.send(dict(reversed(body.items())))

    assert first.content == second.content
    assert desk.gateway.posts == [body["client_order_id"]]


async def test_equal_amounts_spelled_differently_are_the_same_order(desk: Desk) -> None:
    """10, "10" and 10.0 are one quantity, so they are one order."""
    body = order()

    answers = [await desk.send({**body, "quantity": quantity}) for quantity in ("10", 10, 10.0, "10.00")]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len(desk.gateway.posts) == 1


async def test_many_requests_with_one_id_at_once_share_one_send(desk: Desk) -> None:
    """Impatient clients retry while the first try still runs."""
    body = order()

    answers = await asyncio.gather(*(desk.send(body) for _ in range(20)))

    assert {answer.content for answer in answers} == {answers[0].content}
    assert desk.gateway.posts == [body["client_order_id"]]


async def test_an_id_used_with_another_body_is_refused(desk: Desk) -> None:
    """Two different orders under one id cannot both be what the client meant."""
    body = order()
    await desk.send(body)

    answer = await desk.send({**body, "quantity": "11"})

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "DUPLICATE_CLIENT_ORDER_ID"
    assert len(desk.gateway.posts) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"symbol": "AAPL", "synthetic": True, "quantity": "1"}, 422, "SYNTHETIC_NOT_ALLOWED"),
        ({"symbol": "ZVZZT", "synthetic": True, "quantity": "11"}, 422, "SYNTHETIC_NOT_ALLOWED"),
        ({"quantity": "1000001"}, 422, "QUANTITY_CAP_EXCEEDED"),
    ],
)
async def test_an_order_beyond_its_limits_is_denied_and_never_sent(
    desk: Desk, changes: dict[str, object], status: int, code: str
) -> None:
    """A denial is ours, is written down, and leaves the gateway alone."""
    body = order(**changes)

    first, again = await desk.send(body), await desk.send(body)

    assert (first.status_code, first.json()["error"]["code"]) == (status, code)
    assert first.content == again.content
    assert desk.gateway.posts == []


async def test_a_synthetic_order_in_a_test_symbol_passes(desk: Desk) -> None:
    """The probe's own order must get through when everything is healthy."""
    answer = await desk.send(order(symbol="ZVZZT", synthetic=True, quantity="1"))

    assert answer.status_code == 201
    assert answer.json()["synthetic"] is True


async def test_a_denied_order_stays_denied_under_its_id(desk: Desk) -> None:
    """A client told "never sent" must not find the order sent after the halt is lifted."""
    body = order()
    await desk.set("trading/equity", state="halted")
    await desk.send(body)
    await desk.set("trading/equity", state="active")

    answer = await desk.send(body)

    assert answer.json()["error"]["code"] == "TRADING_HALTED"
    assert desk.gateway.posts == []


async def test_the_journal_lists_orders_page_by_page(desk: Desk) -> None:
    """A gate that lists unproven orders must see them all, in bounded answers."""
    ids = [(await desk.send(order())).json()["client_order_id"] for _ in range(5)]

    first = (await desk.http.get("/orders?limit=3&status=filled")).json()
    rest = (await desk.http.get(f"/orders?limit=3&status=filled&after={first['next']}")).json()

    assert [entry["client_order_id"] for entry in first["orders"] + rest["orders"]] == ids
    assert rest["next"] is None


async def test_an_order_nobody_sent_is_unknown_to_the_journal(desk: Desk) -> None:
    """Not found must not look like not proven."""
    answer = await desk.http.get("/orders/never-seen")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "UNKNOWN_ORDER"


async def test_fills_move_the_position_once(desk: Desk) -> None:
    """Positions decide what may still reduce, so a repeated request must not move them."""
    body = order()
    for _ in range(3):
        await desk.send(body)

    (position,) = desk.service.journal.positions()
    assert Decimal(position.net_quantity) == 10


async def test_a_standing_order_can_be_canceled_while_its_class_is_halted(desk: Desk) -> None:
    """Halting must never trap an order at the venue."""
    desk.gateway.mode = "ack"
    body = order()
    await desk.send(body)
    await desk.set("trading/equity", state="halted")

    answer = await desk.http.delete(f"/orders/{body['client_order_id']}")

    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert (await desk.send(body)).json()["status"] == "new"


@pytest.mark.parametrize("status", [404, 405])
async def test_a_gateway_that_cannot_cancel_says_so_to_the_client(desk: Desk, status: int) -> None:
    """A cancel that did not happen must not look as if it had."""
    desk.gateway.mode, desk.gateway.cancel_status = "ack", status
    body = order()
    await desk.send(body)

    answer = await desk.http.delete(f"/orders/{body['client_order_id']}")

    assert answer.json()["error"]["code"] == "CANCEL_REJECTED"
