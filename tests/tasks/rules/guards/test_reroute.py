"""The guards of a re-route: each test goes red when its guard is forced open."""

from datetime import timedelta

import pytest

from tasks.model.incident import Action
from tasks.model.limits import RemediationLimits
from tasks.model.looks import OrderOutcome, Seen
from tasks.model.market import MarketHours, MarketSession
from tasks.model.metrics import Sample
from tasks.model.order_states import OrderSafety
from tasks.model.orders import AssetClass
from tasks.model.plan import Answer, Approval, PlannedAction, Target
from tasks.model.setup import Setup
from tasks.model.verdicts import GuardCode
from tasks.rules.guards.table import weigh
from tests.fakes.cases import ROUTES, facts, orders, past, planned, seen, unreachable
from tests.fakes.looks import NOW, gateway, metrics, order

SICK = unreachable("XNAS")


def reroute(to: str = "XNYS", asset_class: AssetClass = AssetClass.EQUITY) -> PlannedAction:
    """Lead equities around a dead XNAS."""
    return planned(Action.REROUTE_ORDERS, SICK, Target(asset_class=asset_class, gateway=to))


def probes(**ends: Seen) -> tuple[object, ...]:
    """Direct probes of all gateways; all pass but those named."""
    names = [name for pair in ROUTES.values() for name in pair]
    return tuple(gateway(name, ends.get(name, Seen.PASSED)) for name in names)


def test_an_approved_healthy_alternate_takes_the_new_orders() -> None:
    """With every guard satisfied the class trades on."""
    assert weigh(reroute(), facts(found=(SICK,))).allowed


def test_a_gateway_that_nobody_approved_for_the_class_is_never_taken() -> None:
    """FX lines are not equity lines, however healthy they look."""
    assert weigh(reroute("FXALL"), facts(found=(SICK,))).code is GuardCode.NO_ALTERNATE


def test_an_alternate_that_the_settings_do_not_know_is_never_taken() -> None:
    """What cannot be probed past the service cannot be trusted with orders."""
    assert weigh(reroute(), facts(found=(SICK,), known_gateways=())).code is GuardCode.NO_ALTERNATE


def test_a_sick_alternate_is_never_taken() -> None:
    """From one dead line to another is no help."""
    dead = facts(found=(SICK,), seen=seen(gateways=probes(XNYS=Seen.FAILED)))

    assert weigh(reroute(), dead).code is GuardCode.ALTERNATE_NOT_HEALTHY


def test_an_alternate_that_was_not_probed_is_never_taken() -> None:
    """Rule 2: missing data is not health."""
    assert weigh(reroute(), facts(found=(SICK,), seen=seen(gateways=()))).code is GuardCode.ALTERNATE_NOT_HEALTHY


@pytest.mark.parametrize("outcome", [OrderOutcome.REJECTED, OrderOutcome.UNKNOWN, OrderOutcome.TIMED_OUT])
def test_an_alternate_where_a_test_order_failed_is_never_taken(outcome: OrderOutcome) -> None:
    """A gateway may answer its probe and still fill nothing."""
    failing = facts(found=(SICK,), seen=seen(orders=(order(AssetClass.EQUITY, outcome, "XNYS"),)))

    assert weigh(reroute(), failing).code is GuardCode.ALTERNATE_NOT_HEALTHY


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

    assert weigh(reroute(), facts(found=(SICK,), markets=(closed,))).code is GuardCode.MARKET_CLOSED


def test_unknown_orders_stop_a_reroute() -> None:
    """Rule 5: while the fate of a sent order is open, the position is not known."""
    unproven = facts(found=(SICK,), orders=orders(OrderSafety.UNSAFE, "A-1"))

    assert weigh(reroute(), unproven).code is GuardCode.ORDERS_NOT_PROVEN


def test_orders_that_nobody_can_list_stop_a_reroute() -> None:
    """Rule 2: blind never acts."""
    assert weigh(reroute(), facts(found=(SICK,), orders=None)).code is GuardCode.ORDERS_NOT_PROVEN


def test_an_alternate_with_a_limit_takes_no_load_that_nobody_measured() -> None:
    """A line that is sold for 10 orders a second is not tried with an unknown number."""
    limited = facts(found=(SICK,), setup=Setup(order_rate_limits_per_s={"XNYS": 10.0}))

    assert weigh(reroute(), limited).code is GuardCode.ORDER_RATE_LIMIT


@pytest.mark.parametrize(("orders_count", "allowed"), [(500, True), (700, False)])
def test_an_alternate_takes_no_more_than_its_limit(orders_count: int, *, allowed: bool) -> None:
    """600 orders a minute are 10 a second."""
    setup = Setup(order_rate_limits_per_s={"XNYS": 10.0})
    counted = rated(orders_count)

    assert weigh(reroute(), facts(found=(SICK,), setup=setup, **counted)).allowed is allowed


def rated(orders_count: int) -> dict[str, object]:
    """A service that counted so many orders in the last minute."""
    now = Sample(name="orders_total", labels=(("asset_class", "equity"),), value=1000.0 + orders_count)
    before = past(1, counters={"orders_total|asset_class=equity": 1000.0})
    return {"history": (before,), "seen": seen(metrics=metrics().model_copy(update={"samples": (now,)}))}


def test_a_large_reroute_asks_a_person_even_in_act() -> None:
    """Above the configured size the desk decides; what nobody measured counts as large."""
    setup = Setup(remediation=RemediationLimits(approval_above_orders_per_min=600))
    approved = Approval(answer=Answer.APPROVED, by="kim")

    assert weigh(reroute(), facts(found=(SICK,), setup=setup, **rated(500))).allowed
    assert weigh(reroute(), facts(found=(SICK,), setup=setup, **rated(700))).code is GuardCode.APPROVAL_NEEDED
    assert weigh(reroute(), facts(found=(SICK,), setup=setup)).code is GuardCode.APPROVAL_NEEDED
    assert weigh(reroute(), facts(found=(SICK,), setup=setup, approval=approved)).allowed
