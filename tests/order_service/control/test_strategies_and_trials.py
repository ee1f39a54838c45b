"""Halting one strategy, and trying a gateway with test orders before real ones go there."""

from pathlib import Path

import pytest

from tests.order_service.desk import Desk, desk_at, eventually, order, routing_text
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live

TEST_ORDER = {"symbol": "ZVZZT", "quantity": "1", "synthetic": True}


async def test_a_halted_strategy_is_denied_in_every_class_and_the_others_trade(desk: Desk) -> None:
    """One runaway client is stopped without stopping the desk."""
    await desk.set("strategies/loop", state="halted", reason="50 times its rate")

    equity = await desk.send(order(strategy="loop"))
    crypto = await desk.send(order(strategy="loop", asset_class="crypto", symbol="BTC-USD"))
    other = await desk.send(order(strategy="calm"))

    assert [answer.json()["error"]["code"] for answer in (equity, crypto)] == ["TRADING_HALTED"] * 2
    assert equity.json()["error"]["field"] == "strategy"
    assert "50 times its rate" in equity.json()["error"]["message"]
    assert (equity.status_code, other.status_code) == (503, 201)
    assert len(desk.gateway.posts) == 1


async def test_a_halted_strategy_may_pull_back_what_is_out(desk: Desk) -> None:
    """Halting never blocks cancels."""
    desk.gateway.mode = "ack"
    standing = order(strategy="loop")
    await desk.send(standing)
    await desk.set("strategies/loop", state="halted")

    canceled = await desk.http.delete(f"/orders/{standing['client_order_id']}")

    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")


async def test_a_strategy_set_active_trades_again(desk: Desk) -> None:
    """The pause ends when a person says so."""
    await desk.set("strategies/loop", state="halted")
    await desk.set("strategies/loop", state="active", reason="fixed")

    assert (await desk.send(order(strategy="loop"))).status_code == 201


async def test_a_halted_strategy_is_shown_told_and_survives_a_restart(tmp_path: Path, gateway: FakeGateway) -> None:
    """A restart in the middle of an incident must not let the runaway loose again."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        await desk.set("strategies/loop", state="halted", reason="runs away", set_by="kim")
        told = await eventually(lambda: [one for one in desk.incidents() if one["type"] == "control_changed"])

    async with desk_at(tmp_path / "s", gateway) as desk:
        shown = (await desk.routing())["strategies"]["loop"]
        metrics = (await desk.http.get("/metrics")).text
        denied = await desk.send(order(strategy="loop"))

    assert (shown["state"], shown["set_by"], shown["reason"]) == ("halted", "kim", "runs away")
    assert (told[0]["details"]["part"], told[0]["details"]["key"]) == ("strategies", "loop")
    assert 'strategy_state{strategy="loop"} 0.0' in metrics
    assert denied.json()["error"]["code"] == "TRADING_HALTED"


@pytest.mark.parametrize("state", ["reducing", "", None])
async def test_a_strategy_knows_two_states(desk: Desk, state: str | None) -> None:
    """Reducing is measured against a class's position; a strategy is on or off."""
    answer = await desk.set("strategies/loop", state=state)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "state")


async def test_the_number_of_halted_strategies_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the file nor the metrics grow for ever; who needs more halts a class."""
    monkeypatch.setattr("order_service.control.plane.MAX_STRATEGY_SETTINGS", 3)
    answers = [await desk.set(f"strategies/s{number}", state="halted") for number in range(4)]
    again = await desk.set("strategies/s0", state="halted", reason="still")

    assert [answer.status_code for answer in (*answers, again)] == [200, 200, 200, 409, 200]
    assert answers[3].json()["error"]["code"] == "TOO_MANY_STRATEGIES"


async def test_a_strategy_set_active_gives_way_to_a_halt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old pauses that ended must not stand in the way of a new one."""
    monkeypatch.setattr("order_service.control.plane.MAX_STRATEGY_SETTINGS", 2)
    await desk.set("strategies/ended", state="active")
    await desk.set("strategies/loop", state="halted")

    answer = await desk.set("strategies/other", state="halted")

    assert answer.status_code == 200
    assert set((await desk.routing())["strategies"]) == {"loop", "other"}
    assert 'strategy="ended"} 2.0' not in (await desk.http.get("/metrics")).text


async def test_an_alternate_is_tried_by_test_orders_alone(desk: Desk) -> None:
    """Real orders go there only after a test order came back from there."""
    answer = await desk.set("routes/equity", gateway="XNYS", scope="synthetic")

    tried, real = await desk.send(order(**TEST_ORDER)), await desk.send(order())

    shown = (await desk.routing())["asset_classes"]["equity"]
    assert answer.status_code == 200
    assert (tried.json()["gateway"], real.json()["gateway"]) == ("XNYS", "XNAS")
    assert (shown["gateway"], shown["synthetic_gateway"]) == ("XNAS", "XNYS")
    assert shown["set_by"] == "table"


async def test_a_route_for_all_orders_ends_the_trial(desk: Desk) -> None:
    """Test orders must show what real orders meet."""
    await desk.set("routes/equity", gateway="XNYS", scope="synthetic")
    await desk.set("routes/equity", gateway="XNAS", scope="all")

    assert (await desk.send(order(**TEST_ORDER))).json()["gateway"] == "XNAS"
    assert (await desk.routing())["asset_classes"]["equity"]["synthetic_gateway"] is None


async def test_a_trial_is_ended_by_null_and_leaves_real_orders_where_they_were(desk: Desk) -> None:
    """An alternate that failed its trial changes nothing."""
    await desk.set("routes/equity", gateway="XNYS")
    await desk.set("routes/equity", gateway="XNAS", scope="synthetic")
    await desk.set("routes/equity", gateway=None, scope="synthetic")

    answers = [await desk.send(order(**TEST_ORDER)), await desk.send(order())]

    assert [answer.json()["gateway"] for answer in answers] == ["XNYS", "XNYS"]


async def test_a_trial_stays_within_the_table_and_the_gateways_state(desk: Desk) -> None:
    """A test order is no way around a gateway that a person closed."""
    forbidden = await desk.set("routes/equity", gateway="CRYP", scope="synthetic")
    await desk.set("routes/equity", gateway="XNYS", scope="synthetic")
    await desk.set("gateways/XNYS", state="disabled")

    assert forbidden.json()["error"]["code"] == "ROUTE_NOT_ALLOWED"
    assert (await desk.send(order(**TEST_ORDER))).json()["error"]["code"] == "GATEWAY_DISABLED"
    assert (await desk.send(order())).status_code == 201


async def test_a_trial_of_a_gateway_that_the_table_no_longer_allows_is_over(desk: Desk) -> None:
    """A new table has the last word on where a class may go."""
    await desk.set("routes/equity", gateway="XNYS", scope="synthetic")
    (desk.state_dir / "routing.toml").write_text(routing_text().replace('alternates = ["XNYS"]', "alternates = []"))
    await desk.post_control("reload")

    assert (await desk.send(order(**TEST_ORDER))).json()["gateway"] == "XNAS"
    assert (await desk.routing())["asset_classes"]["equity"]["synthetic_gateway"] is None


async def test_a_trial_survives_a_restart_and_is_told_apart_from_a_change_of_route(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """A trial changed nothing for the desk, and must not look like a change of route later."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        await desk.set("routes/equity", gateway="XNYS", scope="synthetic", set_by="triage", source="triage")
        told = await eventually(lambda: [one for one in desk.incidents() if one["type"] == "control_changed"])

    async with desk_at(tmp_path / "s", gateway) as desk:
        tried = await desk.send(order(**TEST_ORDER))

    assert tried.json()["gateway"] == "XNYS"
    assert (told[0]["details"]["part"], told[0]["source"]) == ("synthetic_routes", "triage")


async def test_an_unknown_scope_is_refused(desk: Desk) -> None:
    """A misspelt scope must not move every order."""
    answer = await desk.set("routes/equity", gateway="XNYS", scope="synthetics")

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "scope")
    assert (await desk.send(order())).json()["gateway"] == "XNAS"


async def test_a_setting_that_ended_leaves_a_file_that_an_earlier_release_reads(desk: Desk) -> None:
    """An earlier release halts every class on a kind of setting it does not know; a roll-back must not meet one."""
    await desk.set("routes/equity", gateway="XNYS", scope="synthetic")
    await desk.set("routes/equity", gateway="XNYS")

    kept = (desk.state_dir / "control.json").read_text()

    assert "synthetic" not in kept
    assert "scope" not in kept
    assert "strategies" not in kept
