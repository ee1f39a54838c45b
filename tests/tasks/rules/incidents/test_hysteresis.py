"""Closing an incident: after some good runs in a row, not at the first."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, ActionRecord, Event, IncidentState
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, RoutingProbe, Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, Restriction
from tasks.rules.incidents.hysteresis import claim_of, may_close, same_trouble
from tasks.rules.probes.routing import told_by_proofs
from tests.fakes.incident.observations import NOW, gateway, health, observation, order
from tests.fakes.incident.past import ago, past, routing, with_past

EQUITY = AssetClass.EQUITY
WELL = Diagnosis(status=Status.OK)


def incident(*causes: Cause) -> IncidentState:
    """An open incident."""
    return IncidentState(incident_id="I", service="s", state=Event.OPENED, opened_at=NOW, causes=causes)


def finding(cause: Cause) -> Finding:
    """A finding of a cause."""
    return Finding(cause=cause, confidence=Confidence.CONFIRMED, because=("x",), section="§2.2", tier=Audience.TIER_3)


def bad(minutes: float, cause: Cause = Cause.GATEWAY_FAILING) -> PastObservation:
    """A run that found a cause."""
    return past(minutes, status="degraded", troubles=(cause.value,))


@pytest.mark.parametrize(
    ("history", "closes"),
    [
        ((bad(2), past(1)), True),
        ((past(2), bad(1)), False),
        ((past(2), bad(1.5), past(0.2)), False),
        ((bad(3), past(2), past(1)), True),
        ((), False),
        ((past(60),), False),
    ],
    ids=["two good", "one good", "two within seconds", "three good", "no history", "a gap"],
)
def test_an_incident_closes_after_enough_good_runs_in_a_row(history: tuple[PastObservation, ...], closes: bool) -> None:
    """A flapping symptom is one incident and one thread, not an alarm and an all-clear each minute."""
    seen = with_past((observation(),), history=history)

    assert may_close(incident(Cause.GATEWAY_FAILING), WELL, seen).may_close is closes


@pytest.mark.parametrize(("gap_s", "good_for_s"), [(180, 240), (181, 60)])
def test_a_close_counts_no_time_in_which_nobody_looked(gap_s: float, good_for_s: int) -> None:
    """After the watch had stopped for minutes nobody may read that the service was good for that long."""
    history = (past(1 + gap_s / 60), past(1))

    told = may_close(incident(Cause.MONITOR_BLIND), WELL, with_past((observation(),), history=history)).because

    assert f"good_for_s={good_for_s} of" in told


def test_a_blind_run_is_no_good_run() -> None:
    """Missing data is not health (safety rule 2)."""
    seen = with_past((observation(),), history=(past(2), past(1, status="blind")))
    blind = Diagnosis(status=Status.BLIND)

    assert not may_close(incident(Cause.SERVICE_DOWN), WELL, seen).may_close
    assert not may_close(incident(Cause.SERVICE_DOWN), blind, seen).may_close


def test_a_service_that_does_not_answer_is_not_over_because_another_cause_explains_it() -> None:
    """On-call read *closed* of a service that was gone, since its broken routing table was named in its place."""
    quiet = (past(2), past(1))
    gone = observation(health=health(Fault.REFUSED), orders=(order(outcome=OrderOutcome.NOT_REACHED),))
    fills = observation(health=health(Fault.TIMED_OUT))
    other = Diagnosis(status=Status.CRITICAL, findings=(finding(Cause.ROUTING_MISCONFIGURED),))

    def closes(seen: Observation) -> bool:
        return may_close(incident(Cause.SERVICE_DOWN), other, with_past((seen,), history=quiet)).may_close

    assert not closes(gone)
    assert closes(fills), "orders that fill are an answer"


def test_a_gateway_that_is_gone_and_one_that_flaps_are_the_same_trouble() -> None:
    """The first check sees it gone, the third that it flaps: the desk reads one thread."""
    gone = incident(Cause.DEPENDENCY_UNREACHABLE)
    seen = with_past((observation(),), history=(bad(2), bad(1)))
    flapping = Diagnosis(status=Status.DEGRADED, findings=(finding(Cause.GATEWAY_FAILING),))

    assert same_trouble(gone, finding(Cause.GATEWAY_FAILING))
    assert not same_trouble(gone, finding(Cause.SERVICE_HUNG))
    assert not may_close(gone, flapping, seen).may_close


def test_a_paused_class_proves_nothing_of_its_gateway() -> None:
    """No order went there, so nobody knows; it stays open until a person trades again."""
    halted = order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})
    seen = with_past((observation(orders=(halted,)),), history=(past(2), past(1)))

    verdict = may_close(incident(Cause.GATEWAY_FAILING), WELL, seen)

    assert not verdict.may_close
    assert [one.name for one in verdict.kept] == ["equity"]


def halt(reason: str, by: str = AUTOMATION) -> Restriction:
    """A halt of equity."""
    return Restriction(kind=Held.TRADING, name="equity", state="halted", set_by=by, reason=reason)


def halted_by(*restrictions: Restriction, **changes: object) -> Evidence:
    """Good runs, with something still in force."""
    table = routing().model_copy(update={"restrictions": restrictions})
    return with_past((observation(routing=table, **changes),), history=(past(2), past(1)))


def test_what_the_automation_halted_keeps_its_incident_open_and_recovered() -> None:
    """The order that was denied, or not, has no say in it; the halt itself has."""
    verdict = may_close(incident(Cause.SERVICE_HUNG), WELL, halted_by(halt("service hung, INC-I")))
    ours = incident(Cause.SERVICE_HUNG).model_copy(update={"incident_id": "INC-I"})

    assert verdict.may_close
    assert may_close(ours, WELL, halted_by(halt("service hung, INC-I"))).is_over
    assert not may_close(ours, WELL, halted_by(halt("service hung, INC-I"))).may_close
    assert may_close(ours, WELL, halted_by(halt("fat finger (INC-I)", by="kim"))).may_close


def test_a_halted_class_waits_for_its_gateway_to_answer_a_direct_probe() -> None:
    """While it is halted no order proves the gateway; a silent one is not over because nobody measures it."""
    ours = incident(Cause.GATEWAY_FAILING).model_copy(update={"gateways": ("XNAS",), "asset_classes": (EQUITY,)})
    answers = halted_by(halt("x, INC-I"))
    silent = halted_by(halt("x, INC-I"), gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")))
    unseen = halted_by(halt("x, INC-I"), gateways=(gateway("FXALL"),))

    assert may_close(ours, WELL, answers).is_over
    assert not may_close(ours, WELL, silent).is_over
    assert not may_close(ours, WELL, unseen).is_over


@pytest.mark.parametrize(
    ("action", "stays_open"),
    [
        (Action.PAUSE_STRATEGIES, True),
        (Action.MARK_DEGRADED, True),
        (Action.REROUTE_ORDERS, True),
        (Action.DISABLE_FEATURE, True),
        (Action.RESTART_SERVICE, False),
    ],
)
def test_where_nobody_can_read_what_is_in_force_an_incident_that_tightened_stays_open(
    action: Action, *, stays_open: bool
) -> None:
    """Nothing listed means nothing in force only where the list could be read; a restart leaves nothing behind."""
    broken = RoutingProbe(seen=Seen.FAILED, detail="http_status=500", looked_at=NOW)
    seen = with_past((observation(routing=broken),), history=(past(2), past(1)))
    done = ActionRecord(key="k", action=action, started_at=NOW, finished_at=NOW, outcome="done")
    tightened = incident(Cause.SERVICE_HUNG).model_copy(update={"actions": (done,)})

    assert may_close(incident(Cause.SERVICE_HUNG), WELL, seen).may_close
    assert may_close(tightened, WELL, seen).is_over is not stays_open


def paused(outcome: str, key: str = "I/pause_strategies/equity-halted") -> IncidentState:
    """An incident in which the automation sent a pause."""
    done = ActionRecord(key=key, action=Action.PAUSE_STRATEGIES, started_at=NOW, finished_at=NOW, outcome=outcome)
    return incident(Cause.SERVICE_HUNG).model_copy(update={"actions": (done,)})


def proofs(equity: str, *orders: OrderOutcome) -> Evidence:
    """A good run at a service without `/routing`, whose proofs say how a class stands."""
    nothing = RoutingProbe(seen=Seen.NOT_CONFIGURED, detail="none", looked_at=NOW)
    told = told_by_proofs(nothing, {"trading/equity": equity}, ())
    seen = observation(routing=told, orders=tuple(order(EQUITY, one) for one in orders))
    return with_past((seen,), history=(past(2), past(1)))


def test_what_a_service_does_not_say_the_hand_of_keeps_the_incident_open_that_set_it() -> None:
    """Else nobody is asked to resume it."""
    assert not may_close(paused("done"), WELL, proofs("halted")).may_close
    assert may_close(paused("done", "I/pause_strategies/equity2-halted"), WELL, proofs("halted")).may_close
    assert may_close(paused("done"), WELL, proofs("active")).may_close


@pytest.mark.parametrize("outcome", ["done", "unknown"])
def test_a_pause_that_nobody_can_see_keeps_its_incident_open_until_a_test_order_fills(outcome: str) -> None:
    """It was sent, and may be in force."""
    assert not may_close(paused(outcome), WELL, proofs("")).is_over
    assert not may_close(paused(outcome), WELL, proofs("", OrderOutcome.REJECTED)).is_over
    assert may_close(paused(outcome), WELL, proofs("", OrderOutcome.EXECUTED)).is_over
    assert may_close(paused("refused"), WELL, proofs("")).is_over


@pytest.mark.parametrize(
    ("reason", "claim"),
    [
        ("dependency unreachable, INC-20261123T150000Z-dependency_unreachable-ab12", "ab12"),
        ("kim's words (INC-1)", "INC-1"),
        ("no incident named", "INC-20261123T150000Z-trading-equity"),
    ],
)
def test_a_restriction_belongs_to_the_incident_that_its_reason_names(reason: str, claim: str) -> None:
    """One incident answers for it, and the same one each minute."""
    one = halt(reason).model_copy(update={"set_at": NOW})

    assert claim_of(one).endswith(claim)
    assert claim_of(one) == claim_of(one)


@pytest.mark.parametrize(
    ("started_min", "finished_min", "in_hand"), [(30, 19, True), (30, 21, False), (19, None, True), (21, None, False)]
)
def test_what_a_person_ordered_is_in_hand_until_a_while_after_it_ended(
    started_min: float, finished_min: float | None, *, in_hand: bool
) -> None:
    """The one who ordered it closes it; what is left lying closes by itself."""
    done = ActionRecord(
        key="k", action=Action.RESTART_SERVICE, started_at=ago(started_min),
        finished_at=None if finished_min is None else ago(finished_min), outcome="done",
    )  # fmt: skip
    ordered = incident().model_copy(update={"actions": (done,), "opened_at": ago(60)})

    verdict = may_close(ordered, WELL, with_past((observation(),), history=(past(2), past(1))))

    assert (verdict.because == "a person has it in hand") is in_hand
