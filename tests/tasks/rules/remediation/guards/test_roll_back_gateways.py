"""Which gateways a rollback may take for healthy, also where nobody measures them (safety rule 7)."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.incidents.incident import Action
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Observation, OrderOutcome, Seen
from tasks.model.remediation.plan import Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.roll_back import gateways_healthy, unmeasured
from tests.fakes.incident.cases import finding, inputs, past, planned, routing, seen
from tests.fakes.incident.observations import gateway, health, order

BAD = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))


def code_of(**changes: object) -> GuardCode:
    """What the guards say of a rollback from 1.1.0 under these inputs."""
    back = planned(Action.ROLL_BACK_RELEASE, BAD, Target(release="1.0.0"))
    return evaluate(back, inputs(found=(BAD,), **changes)).code  # type: ignore[arg-type]


def paused(name: AssetClass = AssetClass.EQUITY, **changes: object) -> Observation:
    """A round in which one class is paused, so that no order of it is measured."""
    routes = tuple(
        one.model_copy(update={"trading_state": "reducing"}) if one.asset_class == name else one
        for one in routing().routes
    )
    denied = order(name, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_REDUCING", "gateway": None})
    return seen(**{"routing": routing(routes=routes), "orders": (denied, order(AssetClass.FX)), **changes})


def measured(minutes_ago: float, latency_ms: float, word: str = "executed", at: str = "XNAS") -> PastObservation:
    """A run before, whose test order reached a gateway."""
    done = PastOrder(asset_class=AssetClass.EQUITY, gateway=at, outcomes={word: 1}, latency_ms=latency_ms, own_ms=5.0)
    return past(minutes_ago, orders=(done,))


@pytest.mark.parametrize(
    ("history", "code"),
    [
        ((measured(3, 8),), GuardCode.ALLOWED),
        ((measured(3, 504),), GuardCode.ALLOWED),
        ((measured(3, 504.9),), GuardCode.ALLOWED),
        ((measured(3, 505),), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((measured(3, 2505),), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((measured(4, 2505), measured(3, 8)), GuardCode.ALLOWED),
        ((measured(4, 8), measured(3, 2505)), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((measured(4, 8), measured(3, 8, "unknown")), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((measured(4, 8), measured(3, 8, "rejected:RISK")), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((measured(4, 8), measured(3, 9000, "error")), GuardCode.ALLOWED),
        ((measured(4, 2505), measured(3, 8, at="XNYS")), GuardCode.GATEWAYS_NOT_HEALTHY),
        ((past(3),), GuardCode.GATEWAYS_NOT_HEALTHY),
    ],
)
def test_a_pause_never_makes_a_slow_gateway_look_healthy(history: tuple[PastObservation, ...], code: GuardCode) -> None:
    """With its class paused nobody measures it: then what was measured last counts, and nothing is not good."""
    assert code_of(seen=paused(), history=history) is code


def test_orders_that_filled_and_orders_that_a_closed_market_rejected_both_prove_a_gateway() -> None:
    """Both came back from the venue as they should."""
    outcomes = {"executed": 1, "rejected_as_expected": 1}
    both = PastOrder(asset_class=AssetClass.EQUITY, gateway="XNAS", outcomes=outcomes, latency_ms=8.0, own_ms=5.0)

    assert code_of(seen=paused(), history=(past(3, orders=(both,)),)) is GuardCode.ALLOWED


def test_a_slow_gateway_forbids_the_rollback_before_and_after_our_own_pause_alike() -> None:
    """The same release and the same gateway must not be judged by whether we acted in between."""
    slow = order().model_copy(update={"latency_ms": 2510.0, "gateway_latency_ms": 2500.0})
    before = code_of(seen=seen(orders=(slow, order(AssetClass.FX))), history=(measured(3, 2505),))

    assert before is code_of(seen=paused(), history=(measured(3, 2505),)) is GuardCode.GATEWAYS_NOT_HEALTHY


@pytest.mark.parametrize("set_to", ["degraded", "disabled"])
def test_a_gateway_that_was_marked_is_not_healthy(set_to: str) -> None:
    """Its mark takes it out of what is judged, and says nothing good of it."""
    told = DependencyStatus(name="XNAS", status="degraded", set_to=set_to)
    marked = seen(health=health().model_copy(update={"dependencies": (told,)}))

    assert code_of(seen=marked) is GuardCode.GATEWAYS_NOT_HEALTHY


def test_a_gateway_without_our_kind_of_health_is_judged_by_its_orders() -> None:
    """A 404 on its health is no fault, and no proof either: an order that fills there is."""
    probes = (gateway("XNAS", Seen.NOT_CONFIGURED), gateway("FXALL"))
    nothing_there = seen(gateways=probes, orders=(order(AssetClass.FX),))

    assert code_of(seen=seen(gateways=probes)) is GuardCode.ALLOWED
    assert code_of(seen=nothing_there) is GuardCode.GATEWAYS_NOT_HEALTHY
    assert code_of(seen=nothing_there, history=(measured(3, 8),)) is GuardCode.ALLOWED


@pytest.mark.parametrize(
    ("latency_ms", "own_ms", "code"),
    [
        (499.5, None, GuardCode.ALLOWED),
        (500.0, None, GuardCode.GATEWAYS_NOT_HEALTHY),
        (None, 5.0, GuardCode.ALLOWED),
        (None, None, GuardCode.ALLOWED),
    ],
)
def test_where_nobody_told_the_services_own_part_all_of_the_time_is_the_gateways(
    latency_ms: float | None, own_ms: float | None, code: GuardCode
) -> None:
    """A service without that number must not make its gateway look faster; an order without a time came back."""
    done = PastOrder(
        asset_class=AssetClass.EQUITY, gateway="XNAS", outcomes={"executed": 1}, latency_ms=latency_ms, own_ms=own_ms
    )

    assert code_of(seen=paused(), history=(past(3, orders=(done,)),)) is code


def fault_of(**changes: object) -> str:
    """What is said against the gateways."""
    back = planned(Action.ROLL_BACK_RELEASE, BAD, Target(release="1.0.0"))
    return gateways_healthy(back, inputs(found=(BAD,), **changes)).detail  # type: ignore[arg-type]


def test_each_gateway_that_is_not_known_to_be_healthy_is_named_with_the_reason() -> None:
    """Who decides over an override reads here what is in its way: one that nobody probed is no healthy one."""
    down = health(dependencies={"XBOS": "error"})
    silent = gateway("XNAS", Seen.NOT_CONFIGURED)

    assert "XBOS: unreachable" in fault_of(seen=seen(health=down))
    assert "FXALL: not probed" in fault_of(seen=paused(AssetClass.FX, gateways=(gateway("XNAS"),)))
    assert "XNYS: blind" in fault_of(seen=seen(gateways=(gateway("XNAS"), gateway("XNYS", Seen.BLIND)), orders=()))
    assert "XNAS: not measured, equity is paused" in fault_of(seen=paused())
    assert "XNAS: it answers, and does not say how it is" in fault_of(seen=seen(gateways=(silent,), orders=()))


def test_a_gateway_that_says_it_is_well_needs_no_order_of_ours_while_its_class_trades() -> None:
    """Not every class has a test order; only a pause takes away what would have been measured."""
    assert code_of(seen=seen(orders=())) is GuardCode.ALLOWED
    assert unmeasured(seen(orders=())) == {}
    assert unmeasured(paused()) == {"XNAS": (AssetClass.EQUITY,)}


def test_a_paused_class_that_goes_nowhere_leaves_no_gateway_unmeasured() -> None:
    """Its route names none."""
    nowhere = tuple(one.model_copy(update={"trading_state": "halted", "gateway": None}) for one in routing().routes)

    assert unmeasured(seen(routing=routing(routes=nowhere), orders=())) == {}
