"""What is wrong with a gateway, to the unit: each sign, what outweighs it, and when a gateway flaps."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.changes import GatewayTransition
from tasks.model.diagnosis.diagnosis import Kind
from tasks.model.probes.history import PastGateway, PastObservation
from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import (
    DependencyStatus,
    Exchange,
    Fault,
    GatewayProbe,
    Observation,
    OrderOutcome,
    OrderProbe,
    Seen,
)
from tasks.rules.diagnosis.causes.gateway_signs import (
    WRONG_ROUTE_CODES,
    filled_before,
    names_of,
    orders_at,
    signs_of,
    slowest_ms,
    unstable_turns,
)
from tests.fakes.incident.observations import (
    NOW,
    evidence,
    gateway,
    health,
    metrics,
    observation,
    order,
    process,
    slow_gateway,
)
from tests.fakes.incident.past import past, routing, with_past

EQUITY, FX = AssetClass.EQUITY, AssetClass.FX
DEAD = gateway("XNAS", Seen.FAILED)


def equity(outcome: OrderOutcome = OrderOutcome.EXECUTED, **changes: object) -> tuple[OrderProbe, ...]:
    """The test order of equity, and one of fx that fills."""
    return (order(outcome=outcome).model_copy(update=changes), order(FX))


def told(status: str, **changes: object) -> Observation:
    """A round in which the service says something of XNAS, whose orders do not fill, and nobody probed it."""
    dependency = DependencyStatus(name="XNAS", status=status).model_copy(update=changes)
    answer = health(status="degraded").model_copy(update={"dependencies": (dependency,)})
    return observation(health=answer, gateways=(), orders=equity(OrderOutcome.TIMED_OUT))


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (observation(), None),
        (observation(gateways=(DEAD,), orders=equity(OrderOutcome.DENIED)), Kind.UNREACHABLE),
        (observation(gateways=(DEAD,)), None),
        (observation(orders=equity(OrderOutcome.UNKNOWN)), Kind.UNKNOWN_OUTCOMES),
        (observation(gateways=(DEAD,), orders=equity(OrderOutcome.UNKNOWN)), Kind.UNKNOWN_OUTCOMES),
        (observation(orders=equity(OrderOutcome.REJECTED, code="VENUE_DOWN")), Kind.REJECTS),
        *((observation(orders=equity(OrderOutcome.REJECTED, code=code)), None) for code in sorted(WRONG_ROUTE_CODES)),
        (observation(gateways=(slow_gateway("XNAS", 500.0),)), Kind.LATENCY),
        (observation(gateways=(slow_gateway("XNAS", 499.9),)), None),
        (observation(orders=equity(gateway_latency_ms=500.0)), Kind.LATENCY),
        (observation(orders=equity(gateway_latency_ms=499.9)), None),
        (told("DOWN"), Kind.UNREACHABLE),
        (told("ok"), None),
        (told("degraded", latency_ms=50.0), Kind.LATENCY),
        (told("degraded", latency_ms=49.9), None),
        (told("slow", latency_ms=50.0), Kind.LATENCY),
        (told("warming", latency_ms=50.0), None),
        (told("degraded", latency_ms=50.0, set_to="degraded"), None),
        (told("degraded"), None),
    ],
)
def test_each_sign_of_a_gateway_is_told_by_its_own_name(seen: Observation, kind: Kind | None) -> None:
    """What is done follows from it: marked, led around, paused, or nothing."""
    assert signs_of(evidence(seen)).get("XNAS") is kind


def test_a_sign_that_one_look_did_not_show_is_none() -> None:
    """A hiccup between two checks is over; what lasts is as the last check shows it."""
    slow, dead = (
        observation(gateways=(slow_gateway("XNAS"),)),
        observation(gateways=(DEAD,), orders=equity(OrderOutcome.DENIED)),
    )

    assert signs_of(evidence(slow, observation(1.0))) == {}
    assert signs_of(evidence(observation(), slow)) == {}
    assert signs_of(evidence(slow, dead)) == {"XNAS": Kind.UNREACHABLE}


def test_a_service_without_descriptors_makes_no_gateway_sick() -> None:
    """It can connect to nothing; what it says and what its orders come to tell of itself alone."""
    spent = process(open_files_count=95, open_files_limit=100)
    seen = told("error").model_copy(update={"process": spent})
    answering = seen.model_copy(update={"gateways": (gateway("XNAS"),), "orders": equity(OrderOutcome.REJECTED)})

    assert signs_of(evidence(seen)) == {}
    assert signs_of(evidence(answering)) == {}
    assert signs_of(evidence(answering.model_copy(update={"gateways": (DEAD,)}))) != {}


@pytest.mark.parametrize(("ours_s", "slow"), [(0.2, True), (0.201, False)])
def test_a_gateway_is_slow_only_against_our_own_machine(ours_s: float, slow: bool) -> None:
    """Where the service's own health takes a third as long, it is this machine that is slow."""
    exchange = Exchange(method="GET", url="http://service/health", http_status=200, seconds_s=ours_s)
    own = health().model_copy(update={"exchange": exchange})
    silent = own.model_copy(update={"exchange": exchange.model_copy(update={"fault": Fault.TIMED_OUT})})
    late = (slow_gateway("XNAS", 600.0),)

    assert ("XNAS" in signs_of(evidence(observation(health=own, gateways=late)))) is slow
    assert "XNAS" in signs_of(evidence(observation(health=silent, gateways=late)))


def filled(count: float, **labels: str) -> Sample:
    """The service's own counter of one route."""
    named = {"asset_class": "equity", "gateway": "XNAS", "outcome": "filled", **labels}
    return Sample(name="orders_total", labels=tuple(named.items()), value=count)


def counting(*samples: Sample) -> Observation:
    """A round in which equity's order is acknowledged and not filled, beside these counters."""
    looked = metrics().model_copy(update={"samples": samples})
    return observation(metrics=looked, orders=equity(ord_status="new"))


@pytest.mark.parametrize(
    "other", [{"asset_class": "fx"}, {"gateway": "XNYS"}, {"outcome": "rejected"}, {"outcome": "new"}]
)
def test_only_a_route_that_filled_before_is_missed_when_it_fills_no_more(other: dict[str, str]) -> None:
    """A venue that never fills a test order has always been so."""
    renamed = filled(5).model_copy(update={"name": "orders_created"})

    assert signs_of(evidence(counting(filled(1)))) == {"XNAS": Kind.NO_EXECUTIONS}
    assert signs_of(evidence(counting(filled(0)))) == {}
    assert signs_of(evidence(counting(filled(5, **other), renamed))) == {}
    assert filled_before(counting(filled(2), filled(3, **other), filled(4)), "equity", "XNAS") == 6


def test_our_own_runs_know_that_a_route_filled() -> None:
    """A service that was restarted counts from zero."""
    seen, other = counting(), counting().model_copy(update={"orders": equity(ord_status="filled")})
    never = tuple(one.model_copy(update={"filled_count": 0}) for one in past(1).orders)

    assert signs_of(with_past((seen,), history=(past(1),))) == {"XNAS": Kind.NO_EXECUTIONS}
    assert signs_of(with_past((seen,), history=(past(1, orders=never),))) == {}
    assert signs_of(with_past((seen,), history=(past(1, orders=()),))) == {}
    assert signs_of(with_past((other,), history=(past(1),))) == {}


def test_every_gateway_that_anybody_spoke_of_is_named_once_and_no_storage() -> None:
    """The journal is no gateway, however the service lists it."""
    answer = health(dependencies={"XNAS": "ok", "Journal": "ok", "XCME": "ok"})
    seen = observation(health=answer, gateways=(gateway("XNAS"),), orders=(order(FX), order(gateway=None)))

    assert names_of(seen) == ("XNAS", "XCME", "FXALL")


def test_an_order_that_reached_no_gateway_counts_where_it_was_led() -> None:
    """A denied order names none; its route does."""
    lost = order(outcome=OrderOutcome.DENIED, gateway=None)
    seen = observation(routing=routing(), orders=(lost, order(FX)))

    assert orders_at(seen, "XNAS") == (lost,)
    assert orders_at(seen.model_copy(update={"routing": None}), "XNAS") == ()
    assert orders_at(seen, "FXALL") == (order(FX),)


def probed(fault: Fault = Fault.NONE, latency_ms: float | None = 900.0) -> GatewayProbe:
    """A direct probe of XNAS."""
    seen = Seen.PASSED if fault is Fault.NONE else Seen.FAILED
    return gateway("XNAS", seen).model_copy(update={"fault": fault, "latency_ms": latency_ms})


@pytest.mark.parametrize(
    ("seen", "slowest"),
    [
        (observation(gateways=(probed(),)), 900.0),
        (observation(gateways=(probed(Fault.BAD_STATUS),)), 900.0),
        (observation(gateways=(probed(Fault.REFUSED),)), None),
        (observation(gateways=(probed(Fault.TIMED_OUT),)), 900.0),
        (observation(gateways=(probed(Fault.TIMED_OUT),), orders=equity(gateway_latency_ms=3.0)), 3.0),
        (observation(gateways=(probed(),), orders=equity(gateway_latency_ms=1000.0)), 1000.0),
        (told("ok", latency_ms=70.0), 70.0),
        (observation(gateways=()), None),
    ],
)
def test_a_gateway_is_as_slow_as_its_slowest_answer(seen: Observation, slowest: float | None) -> None:
    """A probe that waited without effect says so only where no order does better."""
    assert slowest_ms(seen, "XNAS") == slowest


def turns(*seconds_ago: float, up_last: bool = False, name: str = "XNAS") -> tuple[GatewayTransition, ...]:
    """The gateway went and came back in turn, so many seconds before now."""
    count = len(seconds_ago)
    return tuple(
        GatewayTransition(at=NOW - timedelta(seconds=ago), gateway=name, up=((count - place) % 2 == 1) is up_last)
        for place, ago in enumerate(seconds_ago)
    )


SIX = (120.0, 100.0, 80.0, 60.0, 40.0, 0.0)


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (turns(*SIX), "6 turns in 120 s, the last 0 s ago"),
        (turns(120.1, *SIX[1:]), None),
        (turns(*SIX[1:]), None),
        (turns(300.0, 130.0, *SIX), "6 turns in 120 s"),
        (turns(119.0, *SIX[1:], 0.0), "7 turns in 119 s"),
        (turns(*(one + 60 for one in SIX)), "the last 60 s ago"),
        (turns(*(one + 60.1 for one in SIX)), None),
        (turns(*(one + 180 for one in SIX), up_last=True), "the last 180 s ago"),
        (turns(*(one + 180.1 for one in SIX), up_last=True), None),
        (turns(*SIX, name="XNYS"), None),
        (turns(*SIX[:-1], -1.0), None),
    ],
)
def test_a_gateway_flaps_from_six_turns_in_two_minutes_on_until_it_settles(
    story: tuple[GatewayTransition, ...], words: str | None
) -> None:
    """It is marked and never switched to and fro; one that stayed down is gone, and one that stayed up is well."""
    found = unstable_turns(with_past((observation(),), gateway_turns=story), "XNAS")

    assert (found is not None) is (words is not None)
    assert words is None or words in (found or "")


def runs(*failed: bool) -> tuple[PastObservation, ...]:
    """Runs a minute apart whose probes of XNAS failed, or passed."""
    probes = (PastGateway(gateway="XNAS", looks_count=3, failed_count=3 if one else 1) for one in failed)
    return tuple(past(len(failed) - place, gateways=(probe,)) for place, probe in enumerate(probes))


@pytest.mark.parametrize(
    ("history", "flaps"),
    [
        (runs(True, False, True, False, True), True),
        (runs(False, True, False, True, False), False),
        (runs(True, False, True, False, True, True), True),
        (runs(True, False, True, False, True, *(False,) * 5), True),
        (runs(True, False, True, False, True, *(False,) * 6), False),
        ((), False),
    ],
)
def test_our_own_runs_see_a_gateway_flap(history: tuple[PastObservation, ...], flaps: bool) -> None:
    """A service that keeps no ledger does not tell; five turns in ten runs and this one do."""
    seen = with_past((observation(),), history=history)

    assert (unstable_turns(seen, "XNAS") is not None) is flaps
    assert (signs_of(seen).get("XNAS") is Kind.UNSTABLE) is flaps
