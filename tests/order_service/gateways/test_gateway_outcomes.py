"""Denied, rejected and unknown stay apart, and nothing is sent twice."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway, Mode
from tests.order_service.simulator import simulator

pytestmark = pytest.mark.live

UNPROVEN: list[Mode] = [
    *("silence", "garbage", "truncated", "reset", "wrong_types", "endless_decimal", "wrong_order"),
    *("status_500", "status_302", "huge"),
]


@pytest.mark.parametrize("mode", UNPROVEN)
async def test_an_answer_that_proves_nothing_leaves_the_order_unknown(desk: Desk, mode: Mode) -> None:
    """Bytes went out, so only the gateway can say what came of them; it is asked, and the order goes out once."""
    desk.gateway.mode = mode
    body = order()

    answer = await desk.send(body)

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["execution"]) == ("unknown", None)
    assert answer.json()["error"]["code"].startswith("GATEWAY_")
    found = await eventually(lambda: _status(desk, body["client_order_id"], "filled"))
    assert found["execution"]["cum_qty"] == "10"
    assert desk.gateway.posts == [body["client_order_id"]]


async def test_an_unknown_order_asked_for_again_gets_the_resolved_answer(desk: Desk) -> None:
    """A client that retries after the timeout learns what the venue did."""
    desk.gateway.mode = "reset"
    body = order()
    await desk.send(body)
    await eventually(lambda: _status(desk, body["client_order_id"], "filled"))

    answer = await desk.send(body)

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")
    assert len(desk.gateway.posts) == 1


async def test_an_order_the_gateway_never_got_ends_as_not_received(desk: Desk) -> None:
    """Two denials apart in time are proof, and the client may send again under a new id."""
    desk.service.reconciler.proof_gap_s = 0.1
    desk.gateway.mode, desk.gateway.books = "reset", False
    body = order()
    await desk.send(body)

    found = await eventually(lambda: _status(desk, body["client_order_id"], "not_received"))

    assert found["execution"] is None
    assert found["error"]["code"] == "ORDER_NOT_RECEIVED"
    assert desk.gateway.posts == [body["client_order_id"]]


async def test_a_closed_port_denies_because_nothing_was_sent(desk: Desk) -> None:
    """Denied frees the desk to send elsewhere at once; unknown would not."""
    await desk.gateway.close()

    answer = await desk.send(order())

    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["error"]["code"]) == ("denied", "GATEWAY_UNREACHABLE")


async def test_a_kept_connection_that_breaks_is_unknown_and_never_tried_again(desk: Desk) -> None:
    """The bytes may have been read before the peer closed, so a second try could trade twice."""
    await desk.send(order())
    desk.gateway.mode = "reset"
    body = order()

    answer = await desk.send(body)

    assert (answer.status_code, answer.json()["status"]) == (202, "unknown")
    await eventually(lambda: _status(desk, body["client_order_id"], "filled"))
    assert desk.gateway.posts.count(body["client_order_id"]) == 1


async def test_a_connect_that_is_never_answered_denies(tmp_path: Path) -> None:
    """No connection means no byte of the order left, however long it was tried."""
    async with simulator(tmp_path / "XNAS") as (base_url, admin_url):
        lay_out(tmp_path / "s", base_url)
        async with desk_at(tmp_path / "s", FakeGateway()) as desk, httpx.AsyncClient() as venue:
            await venue.put(f"{admin_url}/faults", json={"fault": "unreachable"})
            answer = await desk.send(order())

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GATEWAY_UNREACHABLE")


async def test_orders_beyond_a_gateways_connections_are_denied_as_busy(tmp_path: Path, gateway: FakeGateway) -> None:
    """A slow gateway is not an unreachable one; the desk acts differently on the two."""
    lay_out(tmp_path / "s", gateway.base_url, total_timeout_s=2)
    table = tmp_path / "s" / "routing.toml"
    table.write_text(table.read_text().replace("[gateways.XNAS]\n", "[gateways.XNAS]\nmax_connections = 1\n"))
    gateway.mode = "slow"
    async with desk_at(tmp_path / "s", gateway) as desk:
        first = asyncio.create_task(desk.send(order()))
        await eventually(lambda: gateway.posts)
        second = await desk.send(order())
        gateway.release.set()

        assert (await first).status_code == 201
    assert (second.status_code, second.json()["error"]["code"]) == (503, "GATEWAY_BUSY")
    assert len(gateway.posts) == 1


async def test_a_failure_of_ours_while_the_order_is_out_ends_unknown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our bug says nothing about the order; the gateway does."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    body = order()
    with monkeypatch.context() as patched:
        patched.setattr("order_service.orders.outcome_recorder.execution_body", broken)
        answer = await desk.send(body)
        listed = (await desk.http.get("/orders?status=unknown")).json()["orders"]

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert [row["client_order_id"] for row in listed] == [body["client_order_id"]]
    await eventually(lambda: _status(desk, body["client_order_id"], "filled"))
    assert desk.gateway.posts == [body["client_order_id"]]
    (position,) = desk.service.journal.positions()
    assert position.net_quantity == "10"


async def test_a_venues_no_is_a_reject_with_its_own_words(desk: Desk) -> None:
    """The desk needs the venue's code, not ours."""
    desk.gateway.mode = "reject"

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "rejected")
    assert answer.json()["execution"]["reject"] == {"code": "MARKET_CLOSED", "text": "closed"}


async def test_a_request_the_gateway_calls_malformed_is_rejected(desk: Desk) -> None:
    """The gateway read it and booked nothing, which is a no and not a doubt."""
    desk.gateway.mode = "status_400"

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "rejected")
    assert answer.json()["execution"]["reject"]["code"] == "MALFORMED"


async def test_a_dead_gateway_is_told_once_and_not_per_order(desk: Desk) -> None:
    """A ledger with one line per lost order hides every other line."""
    await desk.gateway.close()
    for _ in range(30):
        await desk.send(order())

    await eventually(lambda: _types(desk).count("order_routing_failed"))
    assert _types(desk).count("order_routing_failed") == 1


async def test_a_gateway_that_goes_and_comes_back_is_told_both_times(desk: Desk) -> None:
    """Triage starts from these two lines."""
    await desk.gateway.close()
    await eventually(lambda: "gateway_unreachable" in _types(desk))
    await eventually(lambda: _health_is(desk, "degraded"))

    await desk.gateway.open()

    await eventually(lambda: "gateway_recovered" in _types(desk))
    # Five names share the one fake gateway; each is asked in its own time.
    await eventually(lambda: _health_is(desk, "ok"))


async def _health_is(desk: Desk, wanted: str) -> bool:
    return (await desk.http.get("/health")).json()["status"] == wanted


def _types(desk: Desk) -> list[str]:
    return [str(record["type"]) for record in desk.incidents()]


async def _status(desk: Desk, client_order_id: str, wanted: str) -> dict[str, object] | None:
    document = (await desk.http.get(f"/orders/{client_order_id}")).json()
    return document if document["status"] == wanted else None
