"""The gateways: which are named, how sure, to whom, and with which classes."""

from typing import Any

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence.evidence import Evidence
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.history import PastGateway
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, OrderProbe, Seen
from tasks.rules.diagnosis.causes.gateways import (
    OUR_CONFIGURATION_CODES,
    affected_classes,
    dependency_unreachable,
    gateway_failing,
)
from tests.fakes.incident.observations import NOW, evidence, gateway, health, observation, order, slow_gateway
from tests.fakes.incident.past import past, routing, with_past

EQUITY, FX = AssetClass.EQUITY, AssetClass.FX
NO_EQUITY = order(outcome=OrderOutcome.DENIED).model_copy(update={"code": "GATEWAY_UNREACHABLE"})
DEAD = (gateway("XNAS", Seen.FAILED), gateway("FXALL"))
TOLD_DOWN = health(status="degraded", dependencies={"XNAS": "error", "FXALL": "ok"})


def rejected(code: str, asset_class: AssetClass = EQUITY) -> OrderProbe:
    """One test order that the venue rejected with a code."""
    return order(asset_class, OrderOutcome.REJECTED).model_copy(update={"code": code})


def named(seen: Evidence) -> Finding:
    """The finding of gateways that do not do their work."""
    found = gateway_failing(seen)
    assert found is not None
    return found


@pytest.mark.parametrize(("looks", "before", "sure"), [(3, 0, True), (2, 0, False), (2, 1, True)])
def test_a_gateway_that_fails_our_own_probe_is_confirmed_after_three_looks(looks: int, before: int, sure: bool) -> None:
    """Looks of the run before count, where it found the same."""
    seen = [observation(float(count), gateways=DEAD, orders=(NO_EQUITY, order(FX))) for count in range(looks)]
    history = (past(1, troubles=(Cause.DEPENDENCY_UNREACHABLE.value,) if before else ()),)

    found = dependency_unreachable(with_past(seen, history=history))

    assert found is not None
    assert (found.gateways, found.asset_classes) == (("XNAS",), (EQUITY,))
    assert (found.confidence is Confidence.CONFIRMED) is sure
    assert found.because == ("gateway XNAS does not answer a direct probe: failed",)
    assert found.ruled_out[-1] == "gateways: FXALL answer a direct probe"


def test_a_gateway_that_only_the_service_calls_down_is_likely() -> None:
    """It answers us: what is broken lies between the two, and a restart of either would not fix it."""
    seen = [observation(float(count), health=TOLD_DOWN, orders=(NO_EQUITY, order(FX))) for count in range(3)]
    unprobed = [one.model_copy(update={"gateways": ()}) for one in seen]

    found, without = dependency_unreachable(evidence(*seen)), dependency_unreachable(evidence(*unprobed))

    assert found is not None
    assert without is not None
    assert found.confidence is without.confidence is Confidence.LIKELY
    assert found.because[0].endswith("it answers us directly, so the way between them is broken")
    assert without.because == ("the service says that XNAS is down: error",)


@pytest.mark.parametrize("code", sorted(OUR_CONFIGURATION_CODES))
def test_a_code_of_our_own_configuration_goes_to_the_developers(code: str) -> None:
    """The venue is well; what we send is not set up there, and the platform cannot fix it."""
    assert named(evidence(observation(orders=(rejected(code), order(FX))))).tier is Audience.TIER_2


@pytest.mark.parametrize(
    "seen",
    [
        observation(orders=(rejected("VENUE_DOWN"), order(FX))),
        observation(orders=(rejected("INVALID_ACCOUNT"), rejected("VENUE_DOWN", FX))),
        observation(orders=(rejected("INVALID_ACCOUNT"), order(FX)), gateways=(gateway("XNAS"), slow_gateway("FXALL"))),
        observation(gateways=(slow_gateway("XNAS"), gateway("FXALL"))),
    ],
)
def test_anything_else_at_a_gateway_goes_to_the_platform(seen: Observation) -> None:
    """Where one gateway of several is ill by itself, the developers alone would wait for nothing."""
    assert named(evidence(seen)).tier is Audience.TIER_3


@pytest.mark.parametrize(("count", "before", "sure"), [(3, 0, True), (2, 0, False), (2, 1, True)])
def test_a_slow_gateway_is_confirmed_after_three_looks(count: int, before: int, sure: bool) -> None:
    """Slow once is a pause of its own; over the run before and this one it is slow."""
    seen = [observation(float(at), gateways=(slow_gateway("XNAS"), gateway("FXALL"))) for at in range(count)]
    history = (past(1, troubles=(Cause.GATEWAY_FAILING.value,) if before else ()),)

    found = named(with_past(seen, history=history))

    assert (found.confidence is Confidence.CONFIRMED) is sure
    assert found.because[0].endswith("latency_ms=2500, limit 500 ms, usually 3 ms")


def test_the_usual_latency_is_the_middle_one_of_the_runs_before() -> None:
    """One slow run before must not make slow the usual."""
    slow = observation(gateways=(slow_gateway("XNAS"), gateway("FXALL")))
    history = tuple(
        past(minutes, gateways=(PastGateway(gateway="XNAS", looks_count=1, latency_ms=latency_ms),))
        for minutes, latency_ms in ((3, 900.0), (2, 2.0), (1, 5.0))
    )

    assert named(with_past((slow,), history=history)).because[0].endswith("usually 5 ms")
    assert named(evidence(slow)).because[0].endswith("no earlier checks to compare with")


def closing(asset_class: AssetClass, *, is_open: bool) -> MarketHours:
    """The market of a class."""
    session = MarketSession.WEEKEND
    return MarketHours(
        asset_class=asset_class,
        calendar="XNYS",
        at=NOW,
        open=is_open,
        session=session,
        next_open=None,
        next_close=None,
    )


def test_only_an_open_market_of_an_affected_class_is_ruled_out_as_closed() -> None:
    """A rejecting venue reads like a closed one; the page says that it is not."""
    seen = evidence(observation(orders=(rejected("VENUE_DOWN"), order(FX))))
    markets = (closing(EQUITY, is_open=True), closing(FX, is_open=True), closing(AssetClass.CRYPTO, is_open=False))

    told = named(seen.model_copy(update={"markets": markets})).ruled_out
    shut = named(seen.model_copy(update={"markets": (closing(EQUITY, is_open=False),)})).ruled_out

    assert told[-1] == "market closed: equity is open"
    assert not [line for line in shut if line.startswith("market")]


def classes(seen: Observation, gateways: set[str], **facts: Any) -> tuple[AssetClass, ...]:
    """The classes that gateways affect."""
    return affected_classes(with_past((seen,), **facts), frozenset(gateways))


def test_a_class_is_affected_where_it_is_led_there_or_its_order_failed_there() -> None:
    """The desk of each of them is reported, and no other."""
    new = order().model_copy(update={"ord_status": "new"})
    led = routing({EQUITY: "XNYS"})

    assert classes(observation(routing=routing()), {"XNAS"}) == (EQUITY,)
    assert classes(observation(routing=led), {"XNAS"}) == ()
    assert classes(observation(routing=led, orders=(NO_EQUITY,)), {"XNAS"}) == (EQUITY,)
    assert classes(observation(routing=led, orders=(new,)), {"XNAS"}) == (EQUITY,)
    assert classes(observation(routing=led, orders=(NO_EQUITY,)), {"FXALL"}) == (FX,)
    assert classes(observation(routing=routing()), {"XNAS", "FXALL"}) == (EQUITY, FX)


def test_where_the_service_says_nothing_the_last_run_that_knew_its_routes_does() -> None:
    """A hung service is asked about no more."""
    history = (past(2, routes={EQUITY: "XNYS"}), past(1, routes={EQUITY: "XNAS"}), past(0.5, routes={}))

    assert classes(observation(orders=()), {"XNAS"}, history=history) == (EQUITY,)
    assert classes(observation(orders=()), {"XNYS"}, history=history) == ()
    assert classes(observation(orders=(), routing=routing({EQUITY: None})), {"XNAS"}, history=history) == ()


def test_one_gateway_that_flaps_makes_the_slow_one_beside_it_no_surer() -> None:
    """What flaps has been seen over minutes; what is slow once has not."""
    history = tuple(
        past(minutes, gateways=(PastGateway(gateway="XNAS", looks_count=1, failed_count=int(minutes) % 2),))
        for minutes in range(8, 0, -1)
    )
    flaps = with_past((observation(),), history=history)
    both = with_past((observation(gateways=(gateway("XNAS"), slow_gateway("FXALL"))),), history=history)

    assert named(flaps).confidence is Confidence.CONFIRMED
    assert named(flaps).because == ("gateway XNAS flaps: 8 turns in the last 10 runs",)
    assert named(both).gateways == ("FXALL", "XNAS")
    assert named(both).confidence is Confidence.LIKELY


def test_a_failing_gateway_is_told_with_what_answers_beside_it() -> None:
    """The reader asks first whether it is the service, and whether it is all of them."""
    seen = evidence(observation(orders=(rejected("VENUE_DOWN"), order(FX))))

    service, gateways = named(seen).ruled_out
    assert service.startswith("service down or hung: health answers")
    assert gateways == "gateways: FXALL answer a direct probe"


def test_of_two_rejects_at_one_gateway_each_has_to_be_ours() -> None:
    """A venue that rejects one order for itself is not well."""
    ours, theirs = rejected("INVALID_ACCOUNT"), rejected("VENUE_DOWN", FX).model_copy(update={"gateway": "XNAS"})

    assert named(evidence(observation(orders=(ours, theirs)))).tier is Audience.TIER_3


def test_only_the_orders_in_question_are_told_of_a_gateway() -> None:
    """The desk calls the venue with these ids."""
    lost = order(outcome=OrderOutcome.UNKNOWN).model_copy(update={"code": "TIMED_OUT"})
    fills = order(FX, gateway="XNAS")

    told = named(evidence(observation(orders=(lost, fills)))).because[0]
    refused = named(evidence(observation(orders=(rejected("VENUE_DOWN"), fills)))).because[0]

    assert told.endswith("in 1 of 1 checks: synthetic-equity (TIMED_OUT)")
    assert refused.endswith("in 1 of 1 checks: equity: rejected")
