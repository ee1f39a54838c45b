"""The guards of a re-route: each test goes red when its guard is forced open."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.limits import RemediationLimits
from tasks.model.evidence.evidence import KnownGateway
from tasks.model.incidents.incident import Action
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.metrics import Sample
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import GatewayProbe, OrderOutcome, OrderProbe, RouteStatus, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Approval, ApprovalAnswer, PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.every_action import needs_approval
from tasks.rules.remediation.guards.reroute import alternate_is_approved, market_is_open, proven_fill
from tests.fakes.incident.cases import ROUTES, inputs, orders, past, planned, routing, seen, unreachable
from tests.fakes.incident.observations import NOW, gateway, metrics, order, slow_gateway

EQUITY = AssetClass.EQUITY
SICK = unreachable("XNAS")


def reroute(to: str | None = "XNYS", asset_class: AssetClass = AssetClass.EQUITY) -> PlannedAction:
    """Lead equities around a dead XNAS."""
    return planned(Action.REROUTE_ORDERS, SICK, Target(asset_class=asset_class, gateway=to))


def probes(**ends: Seen) -> tuple[GatewayProbe, ...]:
    """Direct probes of all gateways; all pass but those named."""
    names = [name for pair in ROUTES.values() for name in pair]
    return tuple(gateway(name, ends.get(name, Seen.PASSED)) for name in names)


def test_an_approved_healthy_alternate_takes_the_new_orders() -> None:
    """With every guard satisfied the class trades on."""
    assert evaluate(reroute(), inputs(found=(SICK,))).allowed


def test_a_gateway_that_nobody_approved_for_the_class_is_never_taken() -> None:
    """FX lines are not equity lines, however healthy they look."""
    assert evaluate(reroute("FXALL"), inputs(found=(SICK,))).code is GuardCode.NO_ALTERNATE


def known(**classes: tuple[AssetClass, ...]) -> dict[str, object]:
    """The gateways of the settings, with the classes that each takes."""
    return {"known_gateways": tuple(KnownGateway(name=name, asset_classes=found) for name, found in classes.items())}


def test_the_refusal_of_an_alternate_lists_those_that_the_table_names() -> None:
    """A line that takes the class and answers is still not approved; who is paged sees what is."""
    outside = inputs(**known(XBOS=(EQUITY,)))
    alone = routing(routes=(RouteStatus(asset_class=EQUITY, gateway="XNAS"),))

    for given, to, listed in (
        (outside, "XBOS", "XBOS; approved: XNAS, XNYS"),
        (outside, None, "none; approved: XNAS, XNYS"),
        (inputs(seen=seen(routing=alone)), "XNYS", "XNYS; approved: none"),
    ):
        verdict = alternate_is_approved(reroute(to), given)
        assert verdict.code is GuardCode.NO_ALTERNATE
        assert verdict.detail == f"expected an approved alternate of equity, found {listed}"


@pytest.mark.parametrize(("takes", "allowed"), [((EQUITY,), True), ((), True), ((AssetClass.FX,), False)])
def test_an_alternate_takes_the_classes_that_the_settings_say_of_itself(
    takes: tuple[AssetClass, ...], allowed: bool
) -> None:
    """Another gateway's classes are not its own; where the settings name none, the table decides."""
    given = inputs(**known(XNAS=(EQUITY,) if not allowed else (AssetClass.FX,), XNYS=takes))

    assert alternate_is_approved(reroute(), given).allowed is allowed


def test_an_alternate_that_the_settings_do_not_know_is_never_taken() -> None:
    """What cannot be probed past the service cannot be trusted with orders."""
    assert evaluate(reroute(), inputs(found=(SICK,), known_gateways=())).code is GuardCode.NO_ALTERNATE


def test_a_sick_alternate_is_never_taken() -> None:
    """From one dead line to another is no help."""
    dead = inputs(found=(SICK,), seen=seen(gateways=probes(XNYS=Seen.FAILED)))

    assert evaluate(reroute(), dead).code is GuardCode.ALTERNATE_NOT_HEALTHY


def test_an_alternate_that_was_not_probed_is_never_taken() -> None:
    """Rule 2: missing data is not health."""
    assert evaluate(reroute(), inputs(found=(SICK,), seen=seen(gateways=()))).code is GuardCode.ALTERNATE_NOT_HEALTHY


NO_FAULT = {OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED, OrderOutcome.DENIED, OrderOutcome.BLIND}


@pytest.mark.parametrize("outcome", sorted(OrderOutcome))
def test_an_alternate_where_a_test_order_failed_is_never_taken(outcome: OrderOutcome) -> None:
    """A gateway may answer its probe and still fill nothing; what the service itself denied is not its fault."""
    there = inputs(found=(SICK,), seen=seen(orders=(order(AssetClass.EQUITY, outcome, "XNYS"),)))
    elsewhere = inputs(found=(SICK,), seen=seen(orders=(order(AssetClass.EQUITY, outcome, "XNAS"),)))
    code = GuardCode.ALLOWED if outcome in NO_FAULT else GuardCode.ALTERNATE_NOT_HEALTHY

    assert evaluate(reroute(), there).code is code
    assert evaluate(reroute(), elsewhere).allowed


def test_an_alternate_that_answers_late_is_never_taken() -> None:
    """It answers its probe, and shows the same trouble as the one that is left."""
    slow = (*(one for one in probes() if one.gateway != "XNYS"), slow_gateway("XNYS"))
    verdict = evaluate(reroute(), inputs(found=(SICK,), seen=seen(gateways=slow)))

    assert verdict.code is GuardCode.ALTERNATE_NOT_HEALTHY
    assert "without trouble, found latency" in verdict.detail


@pytest.mark.parametrize(
    ("looks", "proven"),
    [
        ((order(gateway="XNYS"),), True),
        ((order(AssetClass.FX, OrderOutcome.REJECTED), order(gateway="XNYS")), True),
        ((order(gateway="XNAS"),), False),
        ((order(outcome=OrderOutcome.REJECTED_AS_EXPECTED, gateway="XNYS"),), False),
        ((), False),
    ],
)
def test_only_a_fill_at_the_very_gateway_proves_that_it_fills(looks: tuple[OrderProbe, ...], proven: bool) -> None:
    """A trial that could not be sent is completed by an order of the same run, and by nothing less."""
    assert proven_fill(inputs(seen=seen(orders=looks)).evidence, "XNYS") is proven


def test_nothing_is_rerouted_into_a_closed_market() -> None:
    """An order that waits for the open is no order that trades."""
    closed = MarketHours(
        asset_class=AssetClass.EQUITY,
        calendar="XNYS",
        at=NOW,
        open=False,
        session=MarketSession.WEEKEND,
        next_open=NOW + timedelta(hours=9),
        next_close=NOW + timedelta(hours=16),
    )

    opened = closed.model_copy(update={"open": True})
    assert evaluate(reroute(), inputs(found=(SICK,), markets=(closed,))).code is GuardCode.MARKET_CLOSED
    assert market_is_open(reroute(), inputs(markets=(opened,))).detail == "market open"
    assert market_is_open(reroute(), inputs()).detail == "market hours not known"


def test_unknown_orders_stop_a_reroute() -> None:
    """Rule 5: while the fate of a sent order is open, the position is not known."""
    unproven = inputs(found=(SICK,), orders=orders(OrderSafety.UNSAFE, "A-1"))

    assert evaluate(reroute(), unproven).code is GuardCode.ORDERS_NOT_PROVEN


def test_orders_that_nobody_can_list_stop_a_reroute() -> None:
    """Rule 2: blind never acts."""
    assert evaluate(reroute(), inputs(found=(SICK,), orders=None)).code is GuardCode.ORDERS_NOT_PROVEN


def test_an_alternate_with_a_limit_takes_no_load_that_nobody_measured() -> None:
    """A line that is sold for 10 orders a second is not tried with an unknown number."""
    limited = inputs(found=(SICK,), capabilities=Capabilities(order_rate_limits_per_s={"XNYS": 10.0}))

    assert evaluate(reroute(), limited).code is GuardCode.ORDER_RATE_LIMIT


@pytest.mark.parametrize(("orders_count", "allowed"), [(500, True), (600, True), (606, False)])
def test_an_alternate_takes_no_more_than_its_limit(orders_count: int, *, allowed: bool) -> None:
    """600 orders a minute are 10 a second."""
    setup = Capabilities(order_rate_limits_per_s={"XNYS": 10.0})
    counted = rated(orders_count)

    assert evaluate(reroute(), inputs(found=(SICK,), capabilities=setup, **counted)).allowed is allowed


def rated(orders_count: int) -> dict[str, object]:
    """A service that counted so many orders in the last minute."""
    now = Sample(name="orders_total", labels=(("asset_class", "equity"),), value=1000.0 + orders_count)
    before = past(1, counters={"orders_total|asset_class=equity": 1000.0})
    return {"history": (before,), "seen": seen(metrics=metrics().model_copy(update={"samples": (now,)}))}


def test_a_large_reroute_asks_a_person_even_in_act() -> None:
    """Above the configured size the desk decides; what nobody measured counts as large."""
    setup = Capabilities(remediation=RemediationLimits(approval_above_orders_per_min=600))
    approved = Approval(answer=ApprovalAnswer.APPROVED, by="kim")

    assert evaluate(reroute(), inputs(found=(SICK,), capabilities=setup, **rated(600))).allowed
    assert (
        evaluate(reroute(), inputs(found=(SICK,), capabilities=setup, **rated(601))).code is GuardCode.APPROVAL_NEEDED
    )
    assert evaluate(reroute(), inputs(found=(SICK,), capabilities=setup)).code is GuardCode.APPROVAL_NEEDED
    assert evaluate(reroute(), inputs(found=(SICK,), capabilities=setup, approval=approved)).allowed
    assert needs_approval(planned(Action.ROLL_BACK_RELEASE), inputs(capabilities=setup, **rated(601)))
    assert not needs_approval(planned(Action.ROLL_BACK_RELEASE), inputs(capabilities=setup, **rated(600)))
    assert not needs_approval(planned(Action.PAUSE_STRATEGIES), inputs(capabilities=setup, **rated(601)))
