"""A word that nobody knows is never taken for a good one, whoever says it, in whatever form."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tasks.model.probes.control import ControlOutcome
from tasks.model.probes.order_states import BlindReason
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Observation, OrderOutcome, RoutingProbe
from tasks.model.remediation.in_force import Held
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.probes.control import judge_control
from tasks.rules.probes.health import judge_health
from tasks.rules.probes.order_list import IN_FLIGHT, PROVEN, read_page, unproven_order
from tasks.rules.probes.routing import judge_routing
from tasks.rules.probes.synthetic_result import judge_order
from tests.fakes.incident.observations import NOW, observation

ODD_VALUES = (
    some.text(min_size=1, max_size=30)
    | some.integers(-(2**63), 2**63)
    | some.booleans()
    | some.lists(some.integers(0, 9), max_size=2)
    | some.dictionaries(some.text(max_size=3), some.integers(0, 9), max_size=2)
)


def answered(document: object, status: int = 200) -> Exchange:
    """An answer of the service with this body."""
    return Exchange(method="GET", url="http://127.0.0.1:1/x", http_status=status, body=orjson.dumps(document).decode())


def is_word_of(value: object, good: set[str]) -> bool:
    """Say whether a value is one of the good words."""
    return isinstance(value, str) and value.strip().lower() in good


def seen_with(routing: RoutingProbe) -> Observation:
    """A healthy observation with another routing."""
    return observation().model_copy(update={"routing": routing})


@given(ODD_VALUES)
def test_only_a_class_that_is_active_is_not_held(state: Any) -> None:
    """A trading state of `closed`, `0` or `[]` read as nothing in force, and so as healthy."""
    one = {"gateway": "XNAS", "trading_state": state}
    routing = judge_routing(answered({"asset_classes": {"equity": one}}), {}, NOW)
    held = in_force(seen_with(routing)).of_class(AssetClass.EQUITY)

    assert (held is None) is is_word_of(state, {"active"})


@given(ODD_VALUES)
def test_only_a_gateway_that_is_enabled_is_not_marked(state: Any) -> None:
    """A gateway that somebody set to `Disabled` or `drained` takes no orders, whatever the case."""
    document = {"asset_classes": {}, "gateways": {"XNAS": {"set": {"state": state}}}}
    held = judge_routing(answered(document), {}, NOW).restrictions
    health = judge_health(answered({"status": "ok", "dependencies": {"XNAS": {"set_to": state}}}), NOW)
    told = in_force(observation().model_copy(update={"health": health, "routing": None})).restrictions

    assert (not held) is is_word_of(state, {"enabled"})
    assert {one.kind for one in told} == (set() if is_word_of(state, {"enabled"}) else {Held.GATEWAY})


@given(ODD_VALUES)
def test_only_a_feature_that_is_on_is_not_off(enabled: Any) -> None:
    """Somebody set it, and only `true` means that it is on."""
    document = {"asset_classes": {}, "features": {"netting": {"enabled": enabled, "set": {"set_by": "ana"}}}}

    assert bool(judge_routing(answered(document), {}, NOW).restrictions) is (enabled is not True)


@pytest.mark.parametrize("word", ["halted", "Halted", "frozen", "7", ""])
def test_the_state_of_a_strategy_is_read_beside_its_name_too(word: str) -> None:
    """A service that writes `{"momentum": "halted"}` has halted it."""
    routing = judge_routing(answered({"asset_classes": {}, "strategies": {"momentum": word}}), {}, NOW)

    assert [one.name for one in routing.restrictions] == ["momentum"]


@given(ODD_VALUES)
def test_only_a_word_of_the_list_proves_an_order(status: Any) -> None:
    """Before a restart each order that nobody proved is asked for; a status nobody knows proves nothing."""
    found = unproven_order({"client_order_id": "a", "status": status}, "unknown", NOW)
    words = PROVEN | {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "b", "c", "d", "e"} - IN_FLIGHT
    plain = str(status).strip().lower().replace("-", "_").replace(" ", "_")

    assert found is not None or (isinstance(status, str | int) and plain in words)


@pytest.mark.parametrize(
    "more", [{"error": "journal locked"}, {"errors": ["x"]}, {"truncated": True}, {"has_more": 1}, {"partial": "yes"}]
)
def test_half_a_list_of_orders_is_not_all_of_them(more: dict[str, object]) -> None:
    """An empty list beside an error let a restart pass as safe."""
    assert read_page(answered({"orders": [], **more})).blind is BlindReason.UNREADABLE_ANSWER
    assert read_page(answered({"orders": [], "error": None, "has_more": False})).blind is None


@pytest.mark.parametrize(
    "body",
    [
        {"ok": False},
        {"success": "false"},
        {"applied": None},
        {"status": "ERROR"},
        {"status": "queued"},
        {"result": "rejected"},
        {"outcome": "unknown"},
        {"error": ""},
    ],
)
def test_a_good_status_with_a_bad_word_is_not_done(body: dict[str, object]) -> None:
    """A pause that the service did not take was told to the desk as in force, where no routing could show it."""
    assert judge_control(answered(body)).outcome is ControlOutcome.UNKNOWN


@pytest.mark.parametrize("body", [{}, {"ok": True}, {"status": "halted"}, {"state": "halted", "persisted": True}])
def test_what_is_done_stays_done(body: dict[str, object]) -> None:
    """A service says what it did in words of its own."""
    assert judge_control(answered(body)).outcome is ControlOutcome.DONE


@pytest.mark.parametrize(
    "other", [{"client_order_id": "b"}, {"asset_class": "fx"}, {"execution": {"client_order_id": "b"}}]
)
def test_the_fill_of_another_order_proves_nothing(other: dict[str, Any]) -> None:
    """A cache in front of the service answered with an earlier order's fill, and all was well."""
    filled = {"exec_type": "trade", "ord_status": "filled", "last_qty": "1", **other.pop("execution", {})}
    sent = {"client_order_id": "a", "asset_class": "equity"}
    body = {**sent, **other, "execution": filled}
    asked = answered(body, 201).model_copy(update={"request_body": orjson.dumps(sent).decode()})
    own = answered({**sent, "execution": {"exec_type": "trade", "ord_status": "filled", "last_qty": "1"}}, 201)

    assert judge_order(asked).outcome is OrderOutcome.UNKNOWN
    assert judge_order(own.model_copy(update={"request_body": asked.request_body})).outcome is OrderOutcome.EXECUTED
