"""Changes by hand: guarded, explained, in force at once, kept, and told."""

from pathlib import Path

import pytest

from tests.order_service.desk import Desk, desk_at, eventually, order, routing_text
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live

HALT = {"state": "halted", "reason": "a test"}


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic test-token", "Bearer ", "Bearer t\u00e9st"])
async def test_without_the_token_nothing_changes(desk: Desk, authorization: str | None) -> None:
    """Halting a desk is not for everyone who reaches the port."""
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1").decode("latin-1")}
    raw = {key: value.encode("utf-8") for key, value in headers.items()}

    answer = await desk.http.put("/control/trading/equity", json=HALT, headers=raw)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "CONTROL_UNAUTHORIZED")
    assert (await desk.send(order())).status_code == 201


async def test_without_a_configured_token_the_control_plane_is_closed(tmp_path: Path, gateway: FakeGateway) -> None:
    """A service set up without a secret must not be open to all."""
    async with desk_at(tmp_path / "s", gateway, control_token=None) as desk:
        answer = await desk.set("trading/equity", state="halted")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CONTROL_DISABLED")


@pytest.mark.parametrize("reason", [None, "", "   ", "a\nb"])
async def test_a_change_needs_a_reason(desk: Desk, reason: str | None) -> None:
    """The next shift reads the reason; a blank one costs them an hour."""
    answer = await desk.set("trading/equity", state="halted", reason=reason)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "reason")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("gateways/XNAS", {"state": "degraded"}),
        ("routes/equity", {"gateway": "XNYS"}),
        ("routes/equity", {"gateway": None}),
        ("trading/fx", {"state": "halted"}),
        ("strategies/mean-reversion:2", {"state": "halted"}),
        ("features/order_throttle", {"enabled": False}),
    ],
)
async def test_a_change_answers_what_is_now_in_force(desk: Desk, path: str, change: dict[str, object]) -> None:
    """Whoever paused a class must see that it is paused and kept, or page again."""
    part, _, key = path.partition("/")

    answer = await desk.set(path, set_by="kim", **change)

    assert answer.status_code == 200
    document = answer.json()
    assert document["persisted"] is True
    assert {name: document[part][key][name] for name in change} == change
    assert document[part][key]["set_by"] == "kim"


@pytest.mark.parametrize("path", ["gateways/NONE", "trading/bond", "routes/bond", "features/none", "strategies/%20"])
async def test_a_change_to_what_does_not_exist_is_refused(desk: Desk, path: str) -> None:
    """A typo in a halt must not look like a halt."""
    answer = await desk.set(path, state="degraded", gateway="XNAS", enabled=True)

    assert answer.status_code in {404, 422}


async def test_a_halt_is_told_shown_and_survives_a_restart(tmp_path: Path, gateway: FakeGateway) -> None:
    """A restart in the middle of an incident must not start trading again."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        await desk.set("trading/equity", state="halted", reason="XNAS rejects all", set_by="kim")
        await eventually(lambda: [r for r in desk.incidents() if r["type"] == "control_changed"])

    async with desk_at(tmp_path / "s", gateway) as desk:
        shown = (await desk.http.get("/routing")).json()["asset_classes"]["equity"]
        answer = await desk.send(order())
        other = await desk.send(order(asset_class="crypto", symbol="BTC-USD"))

    assert (shown["trading_state"], shown["set_by"], shown["reason"]) == ("halted", "kim", "XNAS rejects all")
    assert answer.json()["error"]["code"] == "TRADING_HALTED"
    assert other.status_code == 201


async def test_an_unreadable_control_state_halts_every_class(tmp_path: Path, gateway: FakeGateway) -> None:
    """The file may have held a halt; trading on without knowing is the worse mistake."""
    async with desk_at(tmp_path / "s", gateway):
        pass
    (tmp_path / "s" / "control.json").write_text("{broken")

    async with desk_at(tmp_path / "s", gateway) as desk:
        answer = await desk.send(order())

    assert answer.json()["error"]["code"] == "TRADING_HALTED"


async def test_a_class_can_be_sent_to_its_alternate_and_no_other(desk: Desk) -> None:
    """Re-routing stays within what the table allows for the class."""
    good = await desk.set("routes/equity", gateway="XNYS")
    bad = await desk.set("routes/equity", gateway="CRYP")

    answer = await desk.send(order())

    assert (good.status_code, bad.json()["error"]["code"]) == (200, "ROUTE_NOT_ALLOWED")
    assert answer.json()["gateway"] == "XNYS"


async def test_a_disabled_gateway_takes_no_orders_and_a_degraded_one_does(desk: Desk) -> None:
    """Degraded warns the desk; disabled stops the flow."""
    await desk.set("gateways/XNAS", state="degraded")
    degraded, health = await desk.send(order()), (await desk.http.get("/health")).json()
    await desk.set("gateways/XNAS", state="disabled")
    disabled = await desk.send(order())

    assert (degraded.status_code, health["status"]) == (201, "degraded")
    assert disabled.json()["error"]["code"] == "GATEWAY_DISABLED"


async def test_reducing_lets_orders_through_only_towards_flat(desk: Desk) -> None:
    """A class being wound down may close what it has and not one share more."""
    await desk.send(order(side="buy", quantity="10"))
    await desk.set("trading/equity", state="reducing")

    more = await desk.send(order(side="buy", quantity="1"))
    through = await desk.send(order(side="sell", quantity="11"))
    less = await desk.send(order(side="sell", quantity="10"))
    flat = await desk.send(order(side="sell", quantity="1"))

    assert [answer.status_code for answer in (more, through, less, flat)] == [409, 409, 201, 409]


async def test_two_standing_orders_cannot_close_one_position_twice(desk: Desk) -> None:
    """What an open order may still take is not there for the next one."""
    await desk.send(order(side="buy", quantity="10"))
    await desk.set("trading/equity", state="reducing")
    desk.gateway.mode = "ack"

    first = await desk.send(order(side="sell", quantity="8"))
    second = await desk.send(order(side="sell", quantity="8"))

    assert [first.status_code, second.status_code] == [201, 409]


async def test_the_price_band_is_a_switch_that_changes_what_passes(desk: Desk) -> None:
    """A feature that cannot be switched off cannot be blamed for an incident."""
    await desk.send(order())
    far = {"order_type": "limit", "limit_price": "200"}

    on = await desk.send(order(**far))
    await desk.set("features/limit_price_band", enabled=False)
    off = await desk.send(order(**far))

    assert on.json()["error"]["code"] == "PRICE_OUTSIDE_BAND"
    assert off.status_code == 201
    assert 'feature_enabled{feature="limit_price_band"} 0.0' in (await desk.http.get("/metrics")).text


async def test_the_throttle_denies_a_strategy_that_runs_away(tmp_path: Path, gateway: FakeGateway) -> None:
    """One strategy's loop must not take the gateway from the others."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        table = desk.state_dir / "routing.toml"
        table.write_text(table.read_text().replace("max_orders_per_s = 5000", "max_orders_per_s = 3"))
        await desk.post_control("reload")
        answers = [await desk.send(order(strategy="loop")) for _ in range(6)]
        other = await desk.send(order(strategy="calm"))

    assert answers[0].status_code == other.status_code == 201
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"


async def test_a_broken_table_is_refused_while_the_old_one_serves(desk: Desk) -> None:
    """A typo on disk must not cost the desk its routes."""
    before = (await desk.http.get("/routing")).json()["table"]["hash"]
    (desk.state_dir / "routing.toml").write_text(routing_text().replace('gateway = "XNAS"', 'gateway = "CRYP"'))

    latent = (await desk.http.get("/routing")).json()["table"]
    answer = await desk.post_control("reload")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ROUTING_TABLE_REFUSED")
    assert latent["hash"] == before
    assert latent["file_error"] is not None
    assert (await desk.send(order())).json()["gateway"] == "XNAS"
    await eventually(lambda: [r for r in desk.incidents() if r["type"] == "routing_table_refused"])


async def test_a_table_without_a_class_denies_that_class_alone(desk: Desk) -> None:
    """No route means no order; a default route would be a guess with money."""
    text = routing_text()
    cut = text[: text.index("[routes.crypto]")] + text[text.index("# Denies a limit order") :]
    (desk.state_dir / "routing.toml").write_text(cut)
    await desk.post_control("reload")

    crypto = await desk.send(order(asset_class="crypto", symbol="BTC-USD"))

    assert crypto.json()["error"]["code"] == "NO_ROUTE"
    assert (await desk.send(order())).status_code == 201


async def test_the_last_good_table_is_kept_under_its_hash(desk: Desk) -> None:
    """Restoring the last good table needs the table, not only its digest."""
    digest = (await desk.http.get("/routing")).json()["table"]["hash"]

    copies = desk.state_dir / "routing"
    assert (copies / "last_good").read_text() == digest
    assert (copies / f"{digest}.toml").read_text() == (desk.state_dir / "routing.toml").read_text()


async def test_draining_refuses_new_orders_and_writes_none_down(desk: Desk) -> None:
    """The client tries elsewhere or later, with the same id."""
    await desk.post_control("drain")

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DRAINING")
    assert "Retry-After" in answer.headers
    assert (await desk.http.get("/orders")).json()["orders"] == []
    assert (await desk.http.get("/health")).status_code == 503
