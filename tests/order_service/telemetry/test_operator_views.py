"""What an operator reads before acting: unproven orders, limits, gateways and who set them."""

import asyncio

import httpx
import pytest

from tests.order_service.desk import Desk, eventually, order, routing_text

pytestmark = pytest.mark.live

TEST_ORDER = {"symbol": "ZVZZT", "quantity": "1", "synthetic": True}


async def test_a_class_missing_from_the_table_can_be_halted(desk: Desk) -> None:
    """It stays paused when the table comes back, until a person says otherwise."""
    text = routing_text()
    cut = text[: text.index("[routes.crypto]")] + text[text.index("# Denies a limit order") :]
    (desk.state_dir / "routing.toml").write_text(cut)
    await desk.post_control("reload")

    halted = await desk.set("trading/crypto", state="halted", reason="no route")
    shown = (await desk.routing())["asset_classes"]["crypto"]
    (desk.state_dir / "routing.toml").write_text(text)
    await desk.post_control("reload")
    denied = await desk.send(order(asset_class="crypto", symbol="BTC-USD"))

    assert halted.status_code == 200
    assert (shown["gateway"], shown["limits"], shown["trading_state"]) == (None, None, "halted")
    assert denied.json()["error"]["code"] == "TRADING_HALTED"


async def test_the_limits_of_a_class_are_shown(desk: Desk) -> None:
    """Before orders are moved, somebody asks how large they may be."""
    limits = (await desk.routing())["asset_classes"]["equity"]["limits"]

    assert limits == {"max_quantity": "1000000", "max_synthetic_quantity": "10"}


async def test_a_degraded_gateway_takes_orders_shows_who_set_it_and_is_cleared_by_enabled(desk: Desk) -> None:
    """Degraded warns the desk and stops nothing."""
    await desk.set("gateways/XNAS", state="degraded", reason="slow since noon", set_by="kim")
    taken = await desk.send(order())
    dependency = (await desk.http.get("/health")).json()["dependencies"]["XNAS"]
    shown = (await desk.routing())["gateways"]["XNAS"]
    await desk.set("gateways/XNAS", state="enabled")
    cleared = await eventually(lambda: _well(desk.http))

    assert (taken.status_code, taken.json()["gateway"]) == (201, "XNAS")
    assert (dependency["status"], dependency["set_to"]) == ("degraded", "degraded")
    assert (dependency["set_by"], dependency["reason"]) == ("kim", "slow since noon")
    assert (shown["state"], shown["set"]["set_by"]) == ("degraded", "kim")
    assert "set_by" not in cleared["dependencies"]["XNAS"]


async def _well(http: httpx.AsyncClient) -> dict[str, dict[str, dict[str, object]]] | None:
    health = (await http.get("/health")).json()
    return health if health["status"] == "ok" else None


async def test_orders_in_flight_are_listed_with_what_a_gate_needs(desk: Desk) -> None:
    """Nobody restarts a service without knowing what is out."""
    desk.gateway.mode = "slow"
    real, test = order(), order(**TEST_ORDER)
    sending = [asyncio.create_task(desk.send(body)) for body in (real, test)]
    rows = await eventually(lambda: _listed(desk, "in_flight", 2))
    desk.gateway.release.set()
    await asyncio.gather(*sending)

    by_id = {row["client_order_id"]: row for row in rows}
    assert [by_id[body["client_order_id"]]["synthetic"] for body in (real, test)] == [False, True]
    row = by_id[real["client_order_id"]]
    assert (row["gateway"], row["asset_class"], row["status"]) == ("XNAS", "equity", "in_flight")
    assert row["accepted_at"]


async def _listed(desk: Desk, status: str, count: int) -> list[dict[str, object]] | None:
    rows: list[dict[str, object]] = (await desk.http.get(f"/orders?status={status}")).json()["orders"]
    return rows if len(rows) == count else None


async def test_unknown_orders_are_listed_page_by_page(desk: Desk) -> None:
    """A thousand unknown orders are read in bounded pages, none twice and none left out."""
    desk.gateway.mode, desk.gateway.books = "silence", False
    bodies = [order() for _ in range(5)]
    await _send_together(desk, bodies)
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = (await desk.http.get(f"/orders?status=unknown&limit=2&after={after}")).json()
        assert len(page["orders"]) <= 2
        seen += [row["client_order_id"] for row in page["orders"]]
        after = page["next"]

    assert sorted(seen) == sorted(body["client_order_id"] for body in bodies)


async def _send_together(desk: Desk, bodies: list[dict[str, object]]) -> None:
    answers = await asyncio.gather(*(desk.send(body) for body in bodies))
    assert {answer.status_code for answer in answers} == {202}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "status=lost"])
async def test_a_page_is_bounded(desk: Desk, query: str) -> None:
    """No look may read a day's journal at once."""
    assert (await desk.http.get(f"/orders?{query}")).status_code == 422


async def test_an_unknown_test_order_is_never_counted_as_a_real_one(desk: Desk) -> None:
    """A probe into a silent gateway must not look like money at risk."""
    desk.gateway.mode, desk.gateway.books = "silence", False
    await _send_together(desk, [order(**TEST_ORDER), order(**TEST_ORDER), order()])

    metrics = (await desk.http.get("/metrics")).text

    assert "orders_unknown 1.0\n" in metrics
    assert "orders_unknown_synthetic 2.0\n" in metrics
