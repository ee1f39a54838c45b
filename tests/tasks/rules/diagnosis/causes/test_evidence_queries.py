"""What several causes ask of the evidence, to the unit: one of these wrong, and every cause is."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import (
    DependencyStatus,
    Exchange,
    Fault,
    HealthProbe,
    OrderOutcome,
    OrderProbe,
    RoutingProbe,
    Seen,
)
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.evidence_queries import (
    confidence,
    elapsed_s,
    gateways_ruled_out,
    is_down,
    is_gone,
    is_paused,
    marked_only,
    orders_fill,
    runs_before,
    serves,
    service_ruled_out,
    span_s,
)
from tasks.rules.diagnosis.causes.observability import observability_fault
from tests.fakes.incident.cases import routing
from tests.fakes.incident.observations import (
    NOW,
    blind_health,
    evidence,
    gateway,
    health,
    metrics,
    observation,
    order,
    process,
)
from tests.fakes.incident.past import past, with_past

HUNG = Cause.SERVICE_HUNG.value
FAILED = order(outcome=OrderOutcome.REJECTED)
FILLED = order(AssetClass.FX)


@pytest.mark.parametrize(("rounds", "before", "sure"), [(2, 0, False), (3, 0, True), (2, 1, True), (1, 1, False)])
def test_three_looks_in_a_row_are_sure_over_this_run_and_those_before(rounds: int, before: int, sure: bool) -> None:
    """Two looks may be one hiccup; an action waits for the third."""
    seen = evidence(*(observation(float(count)) for count in range(rounds)))

    assert (confidence(seen, before) is Confidence.CONFIRMED) is sure


@pytest.mark.parametrize(
    ("minutes", "troubles", "count"),
    [
        ((15,), (HUNG,), 1),
        ((15.01,), (HUNG,), 0),
        ((3, 2, 1), (HUNG, HUNG, HUNG), 3),
        ((3, 2, 1), (HUNG, "", HUNG), 1),
        ((3, 2, 1), (HUNG, HUNG, ""), 0),
        ((), (), 0),
    ],
)
def test_the_runs_before_count_only_without_a_gap(
    minutes: tuple[float, ...], troubles: tuple[str, ...], count: int
) -> None:
    """What was so an hour ago, and was over, confirms nothing now."""
    history = tuple(past(at, troubles=(one,)) for at, one in zip(minutes, troubles, strict=True))

    assert runs_before(with_past((observation(),), history=history), Cause.SERVICE_HUNG) == count


def test_time_between_looks_is_that_of_a_clock_that_nobody_sets() -> None:
    """A step of the machine's clock makes a silence long, and a busy process a frozen one."""
    first, last = observation(0.0), observation(100.0)
    steady = [one.model_copy(update={"steady_s": at}) for one, at in ((first, 5.0), (last, 7.0))]

    assert elapsed_s(first, last) == 100.0
    assert elapsed_s(*steady) == 2.0
    assert elapsed_s(steady[0], last) == 100.0
    assert elapsed_s(first, steady[1]) == 100.0


def timed_out(seconds_s: float) -> HealthProbe:
    """A health look that waited so long for nothing."""
    exchange = Exchange(method="GET", url="http://service/health", fault=Fault.TIMED_OUT, seconds_s=seconds_s)
    return health(Fault.TIMED_OUT).model_copy(update={"exchange": exchange})


def test_a_silence_lasts_to_the_end_of_the_longest_probe() -> None:
    """Hung is said after seconds of silence, and the wait of the last probe is one of them."""
    first, last = observation(0.0), observation(2.0, health=timed_out(1.5))
    patience = timed_out(4.0).model_copy(update={"looked_at": NOW + timedelta(seconds=6)})

    assert span_s(evidence(first, last)) == 3.5
    assert span_s(evidence(first, last.model_copy(update={"patience": patience}))) == 6.0
    assert span_s(evidence(observation(0.0, health=blind_health()))) == 0.0


@pytest.mark.parametrize(
    ("state", "gone"),
    [
        (ProcessState.DEAD, True),
        (ProcessState.NOT_OURS, True),
        (ProcessState.RUNNING, False),
        (ProcessState.STOPPED, False),
        (ProcessState.BLIND, False),
    ],
)
def test_a_service_is_gone_where_nobody_answers_and_no_process_of_ours_is_left(state: ProcessState, gone: bool) -> None:
    """One that is there and silent is hung, and one that nobody could look at is neither."""
    silent = observation(health=health(Fault.REFUSED), process=process(state), orders=())
    filling = silent.model_copy(update={"orders": (FILLED,)})

    assert is_gone(silent) is gone
    assert is_gone(silent.model_copy(update={"health": health()})) is False
    assert is_down(evidence(silent)) is gone
    assert is_down(evidence(filling)) is False


PAUSED_ROUTE = routing(routes=tuple(one.model_copy(update={"trading_state": "halted"}) for one in routing().routes))


@pytest.mark.parametrize(
    ("code", "table", "paused"),
    [
        ("TRADING_HALTED", PAUSED_ROUTE, True),
        ("TRADING_REDUCING", PAUSED_ROUTE, True),
        ("TRADING_HALTED", routing(), False),
        ("TRADING_HALTED", None, True),
        ("GATEWAY_DISABLED", routing(), True),
        ("NO_ROUTE", PAUSED_ROUTE, False),
        (None, PAUSED_ROUTE, False),
    ],
)
def test_an_order_that_somebody_holds_back_is_no_fault(
    code: str | None, table: RoutingProbe | None, paused: bool
) -> None:
    """A class that the desk has halted pages nobody; one that denies without a halt does."""
    denied = order(outcome=OrderOutcome.DENIED).model_copy(update={"code": code})

    assert is_paused(observation(routing=table), denied) is paused
    assert is_paused(observation(routing=table), denied.model_copy(update={"outcome": OrderOutcome.REJECTED})) is False


@pytest.mark.parametrize(
    ("first", "last", "fill", "serve"),
    [
        ((FILLED,), (FILLED,), True, True),
        ((FAILED,), (FILLED,), False, True),
        ((FILLED,), (FILLED, FAILED), False, True),
        ((FILLED,), (FAILED,), False, False),
        ((FILLED,), (), False, False),
        ((), (FILLED,), True, True),
    ],
)
def test_orders_fill_where_each_of_every_look_did_and_there_is_one_now(
    first: tuple[OrderProbe, ...], last: tuple[OrderProbe, ...], fill: bool, serve: bool
) -> None:
    """Whatever health says, a service that fills is not restarted."""
    seen = evidence(observation(0.0, orders=first), observation(1.0, orders=last))

    assert orders_fill(seen) is fill
    assert serves(seen) is serve


def dependency(set_to: str | None, status: str = "degraded") -> DependencyStatus:
    """One gateway as health tells it."""
    return DependencyStatus(name="XNAS", status=status, set_to=set_to)


@pytest.mark.parametrize(
    ("status", "dependencies", "marked"),
    [
        ("degraded", (dependency("degraded"),), True),
        ("degraded", (dependency("disabled"), dependency(None, "OK")), True),
        ("degraded", (dependency("degraded"), dependency(None)), False),
        ("degraded", (dependency("degraded", "error"),), False),
        ("degraded", (dependency(None, "ok"),), False),
        ("degraded", (), False),
        ("error", (dependency("degraded"),), False),
    ],
)
def test_health_that_is_degraded_for_a_mark_alone_is_no_fault(
    status: str, dependencies: tuple[DependencyStatus, ...], marked: bool
) -> None:
    """Whoever marked it knows; whatever else is wrong with it must not hide behind the mark."""
    told = health(status=status).model_copy(update={"dependencies": dependencies})

    assert marked_only(told) is marked


@pytest.mark.parametrize(
    ("told", "ruled_out"),
    [(health(), True), (health(status="error"), True), (health(Fault.TIMED_OUT), False), (blind_health(), False)],
)
def test_only_an_answer_rules_the_service_out(told: HealthProbe, ruled_out: bool) -> None:
    """A look that nobody could take rules out nothing."""
    assert bool(service_ruled_out(evidence(observation(health=told)))) is ruled_out


def test_the_gateways_that_answer_are_ruled_out_but_for_those_that_are_named() -> None:
    """The page says what need not be looked at."""
    seen = observation(gateways=(gateway("XNAS"), gateway("FXALL"), gateway("CRYP", Seen.FAILED)))

    assert gateways_ruled_out(seen) == ("gateways: XNAS, FXALL answer a direct probe",)
    assert gateways_ruled_out(seen, frozenset({"XNAS"})) == ("gateways: FXALL answer a direct probe",)
    assert gateways_ruled_out(seen, frozenset({"XNAS", "FXALL"})) == ()


ERROR = health(status="error")
UNREADABLE = metrics(Seen.FAILED)


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (evidence(observation(health=ERROR)), ("health",)),
        (evidence(observation(health=ERROR), observation(1.0)), ()),
        (evidence(observation(health=ERROR, orders=(FAILED,))), ()),
        (evidence(observation(health=health(status="degraded"))), ()),
        (evidence(observation(metrics=UNREADABLE)), ("metrics",)),
        (evidence(observation(metrics=UNREADABLE), observation(1.0)), ()),
        (evidence(observation(metrics=UNREADABLE, orders=(FAILED,))), ("metrics",)),
        (evidence(observation(metrics=UNREADABLE, health=ERROR, orders=(FAILED,))), ()),
        (evidence(observation(metrics=UNREADABLE, health=ERROR)), ("health", "metrics")),
        (evidence(observation(metrics=metrics(Seen.BLIND))), ()),
    ],
)
def test_an_instrument_lies_where_the_orders_say_otherwise(seen: Evidence, kinds: tuple[str, ...]) -> None:
    """A broken gauge is never a reason to act on trading."""
    found = observability_fault(seen)

    assert (found.kinds if found else ()) == kinds
    assert found is None or bool(found.ruled_out) is orders_fill(seen)
