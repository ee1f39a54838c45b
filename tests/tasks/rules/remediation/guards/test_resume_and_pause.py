"""Safety rule 8: pausing is always allowed and never undone automatically; red when a guard is forced open."""

import pytest

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.resume import class_is_healthy
from tests.fakes.incident.cases import done_before, inputs, orders, planned, routing, seen, unreachable
from tests.fakes.incident.observations import gateway, health

ASKED = Request(by="kim", reason="venue is back")
RESUME = planned(Action.RESUME, target=Target(asset_class=AssetClass.EQUITY))
PAUSE = planned(Action.PAUSE_STRATEGIES, unreachable("XNAS"), Target(asset_class=AssetClass.EQUITY))


def test_nothing_resumes_trading_by_itself() -> None:
    """Rule 8: the one who paused had a reason, and a person ends it."""
    assert evaluate(RESUME, inputs()).code is GuardCode.BY_HAND_ONLY
    assert evaluate(RESUME, inputs(asked=ASKED)).allowed


def test_a_class_whose_gateway_is_dead_is_not_resumed() -> None:
    """A click at 3 a.m. does not send orders into a dead line."""
    dead = seen(gateways=(gateway("XNAS", Seen.FAILED),))

    assert evaluate(RESUME, inputs(asked=ASKED, seen=dead)).code is GuardCode.CLASS_NOT_WELL


@pytest.mark.parametrize(
    "table", [None, routing(routes=()), routing(routes=(RouteStatus(asset_class=AssetClass.EQUITY),))]
)
def test_a_class_of_which_nobody_sees_where_its_orders_go_is_not_resumed(table: RoutingProbe | None) -> None:
    """No gateway was proven well for it; a strategy has none of its own, and needs the service alone."""
    lost = inputs(asked=ASKED, seen=seen(routing=table))

    assert class_is_healthy(RESUME, lost).code is GuardCode.CLASS_NOT_WELL
    assert class_is_healthy(planned(Action.RESUME, target=Target(strategy="alpha")), lost).allowed


def test_a_class_is_resumed_where_its_gateways_health_asks_for_a_login() -> None:
    """It answers, and does not say how it is; the test order that follows a resume does."""
    asks = seen(gateways=(gateway("XNAS", Seen.NOT_CONFIGURED),))

    assert evaluate(RESUME, inputs(asked=ASKED, seen=asks)).allowed


def test_nothing_is_resumed_at_a_service_that_does_not_answer() -> None:
    """Blind never acts."""
    silent = seen(health=health(Fault.TIMED_OUT))

    assert evaluate(RESUME, inputs(asked=ASKED, seen=silent)).code is GuardCode.CLASS_NOT_WELL


def test_a_pause_needs_neither_proven_orders_nor_a_budget() -> None:
    """Half-done actions, spent budgets and unknown orders are reasons to pause, not against it."""
    worst = inputs(
        done_before(5, None),
        done_before(10, Outcome.NOT_RECOVERED),
        done_before(20, Outcome.NOT_RECOVERED),
        orders=orders(OrderSafety.UNSAFE, "A-1"),
    )

    assert evaluate(PAUSE, worst).allowed


def test_a_service_without_a_control_plane_cannot_be_paused_by_us() -> None:
    """Then a person is notified, instead of an action that nobody did."""
    assert evaluate(PAUSE, inputs(capabilities=Capabilities(cannot_control="no token"))).code is GuardCode.NOT_AVAILABLE
