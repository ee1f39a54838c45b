"""What loosens is never late, never blind, and never passes over a newer hand, whatever its form was filled with."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, Seen
from tasks.model.remediation.in_force import Held, InForce, Restriction
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import PlannedAction, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.loosening import NEVER_OVERRIDDEN, RUN_TAKES_S, held_on
from tasks.rules.remediation.planning.operator_plan import plan_for_operator
from tests.fakes.incident.cases import done_before, inputs, planned, routing, seen
from tests.fakes.incident.observations import NOW, gateway

EQUITY = AssetClass.EQUITY
ASKED_AT = NOW - timedelta(seconds=10)
ALL_NAMED = tuple(GuardCode)
TARGETS = {
    Held.TRADING: Target(asset_class=EQUITY),
    Held.STRATEGY: Target(strategy="alpha"),
    Held.GATEWAY: Target(gateway="XNAS"),
}
NAMES = {Held.TRADING: "equity", Held.STRATEGY: "alpha", Held.GATEWAY: "XNAS", Held.ROUTE: "equity"}


def asked(at: datetime | None = ASKED_AT, overrides: tuple[GuardCode, ...] = ()) -> Request:
    """A person's order."""
    return Request(by="kim", reason="venue is back", at=at, overrides=overrides)


def held(kind: Held = Held.TRADING, **changes: object) -> Restriction:
    """Something that the automation set a minute ago."""
    usual = {"state": "halted", "set_by": "triage", "reason": "XNAS is gone", "set_at": NOW - timedelta(minutes=1)}
    return Restriction.model_validate({"kind": kind, "name": NAMES[kind], **usual, **changes})


def holding(*restrictions: Restriction) -> Observation:
    """A look at a service with these in force."""
    return seen(routing=routing(restrictions=restrictions))


def ordered(before: Observation, target: Target | None = None, at: datetime | None = ASKED_AT) -> PlannedAction:
    """A resume as it was planned by what was in force at its request."""
    target = target or TARGETS[Held.TRADING]
    order = ManualAction(service="order-service", action=Action.RESUME, asked=asked(at), targets=(target,))
    (one,) = plan_for_operator(order, inputs(seen=before, asked=asked(at)), "INC-1").actions
    return one


def now_with(after: Observation, at: datetime | None = ASKED_AT, **changes: object) -> GuardInputs:
    """The inputs right before the action; every guard that has a name is named to be overridden."""
    return inputs(**{"seen": after, "asked": asked(at, ALL_NAMED), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TARGETS)
def test_what_it_was_asked_about_is_taken_back(kind: Held) -> None:
    """Else nothing could ever be resumed."""
    standing = holding(held(kind))

    assert evaluate(ordered(standing, TARGETS[kind]), now_with(standing)).allowed


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(
    "change",
    [
        {"set_by": "desk"},
        {"reason": "the desk fears a bad price"},
        {"state": "reducing"},
        {"set_at": NOW - timedelta(seconds=11)},
        {"set_at": None, "set_by": "desk"},
    ],
    ids=str,
)
def test_a_hand_that_came_between_the_request_and_the_action_is_not_passed_over(
    kind: Held, change: dict[str, object]
) -> None:
    """The desk halts while a resume is on its way: the halt is the last word, also against every override."""
    before, after = holding(held(kind)), holding(held(kind, **change))
    verdict = evaluate(ordered(before, TARGETS[kind]), now_with(after))

    assert verdict.code is GuardCode.NEWER_HAND
    assert f", for {change.get('reason', 'XNAS is gone')}, which was set" in verdict.detail
    assert evaluate(ordered(seen(), TARGETS[kind]), now_with(after)).code is GuardCode.NEWER_HAND


@pytest.mark.parametrize(("after_s", "allowed"), [(-0.001, True), (0.0, True), (0.001, False), (5.0, False)])
def test_what_was_set_after_the_click_is_newer_even_if_the_first_look_saw_it(after_s: float, allowed: bool) -> None:
    """A click waits for the worker; what was set in between was not what the person saw."""
    standing = holding(held(set_at=ASKED_AT + timedelta(seconds=after_s)))

    verdict = evaluate(ordered(standing), now_with(standing))

    assert verdict.allowed is allowed
    assert allowed or verdict.code is GuardCode.NEWER_HAND


def test_what_is_in_force_elsewhere_is_no_newer_hand() -> None:
    """FX was halted since: that says nothing of equities."""
    elsewhere = held().model_copy(update={"name": "fx", "set_by": "desk", "set_at": NOW})

    assert evaluate(ordered(holding(held())), now_with(holding(held(), elsewhere))).allowed
    assert held_on(ordered(holding(held())), InForce(restrictions=(held(), elsewhere))) == (held(),)


@pytest.mark.parametrize(("late_s", "allowed"), [(30.0, True), (30.1, False), (7200.0, False)])
def test_a_resume_that_starts_late_does_nothing(late_s: float, allowed: bool) -> None:
    """Four classes that were halted traded again by a click of two hours ago."""
    standing = holding(held())

    verdict = evaluate(ordered(standing, at=None), now_with(standing, at=None, late_s=late_s))

    assert verdict.allowed is allowed
    assert allowed or verdict.code is GuardCode.RUN_LATE


@pytest.mark.parametrize(("age_s", "allowed"), [(30 + RUN_TAKES_S, True), (30.1 + RUN_TAKES_S, False)])
def test_a_resume_that_was_held_up_after_a_start_in_time_does_nothing(age_s: float, allowed: bool) -> None:
    """A host that slept in the middle of the run wakes to another market."""
    at = NOW - timedelta(seconds=age_s)
    standing = holding(held(set_at=at - timedelta(seconds=1)))

    verdict = evaluate(ordered(standing, at=at), now_with(standing, at=at))

    assert verdict.allowed is allowed
    assert allowed or verdict.code is GuardCode.RUN_LATE


@pytest.mark.parametrize(
    "blind",
    [
        seen(routing=None),
        seen(routing=routing(seen=Seen.FAILED, routes=())),
        seen(routing=routing(seen=Seen.BLIND, routes=())),
        seen(gateways=(gateway("XNAS", Seen.BLIND),)),
    ],
)
def test_a_blind_resume_does_nothing_whatever_is_overridden(blind: Observation) -> None:
    """Nobody knows whose halt it would take back, or whether anybody answers behind it."""
    assert evaluate(ordered(holding(held())), now_with(blind)).code is GuardCode.BLIND


@pytest.mark.parametrize("probes", [(), (gateway("XNYS"),)])
def test_a_gateway_that_was_not_seen_to_answer_is_not_well(probes: tuple[object, ...]) -> None:
    """What is not known to be good is not good; who knows better says so by the guard's name."""
    unseen = inputs(seen=seen(gateways=probes, routing=routing(restrictions=(held(),))), asked=asked())

    assert evaluate(ordered(holding(held())), unseen).code is GuardCode.CLASS_NOT_WELL


def test_a_resume_waits_for_another_run_and_for_what_is_half_done() -> None:
    """Rules 3 and 4 hold for people, too, where more is let through."""
    standing = holding(held())
    plain = {"asked": asked(), "seen": standing}

    assert evaluate(ordered(standing), inputs(**plain, acting="flow_run=x")).code is GuardCode.LOCK_HELD
    assert evaluate(ordered(standing), inputs(done_before(5, None), **plain)).code is GuardCode.HALF_DONE_ACTION
    assert evaluate(ordered(standing), inputs(done_before(5, Outcome.RECOVERED), **plain)).allowed


@pytest.mark.parametrize(("set_by", "allowed"), [("triage", True), (None, True), ("jane", False)])
def test_the_automation_takes_back_no_re_route_that_a_person_set(set_by: str | None, allowed: bool) -> None:
    """What a person led elsewhere stays there until a person leads it back."""
    route = next(one for one in routing().routes if one.asset_class == EQUITY)
    led = route.model_copy(update={"gateway": "XNAS", "table_gateway": "XNYS", "alternates": ("XNAS",)})
    standing = seen(routing=routing(routes=(led,), restrictions=(held(Held.ROUTE, state="XNAS", set_by=set_by),)))
    home = planned(Action.REROUTE_ORDERS, target=Target(asset_class=EQUITY, gateway="XNYS"))

    verdict = evaluate(home, inputs(seen=standing))

    assert verdict.code is (GuardCode.ALLOWED if allowed else GuardCode.NEWER_HAND)


WORDS = st.sampled_from(["triage", "desk", "kim", None])
MOMENTS = st.one_of(st.none(), st.integers(-600, 0).map(lambda one: NOW + timedelta(seconds=one)))
RESTRICTIONS = st.builds(
    Restriction,
    kind=st.just(Held.TRADING),
    name=st.just("equity"),
    state=st.sampled_from(["halted", "reducing"]),
    set_by=WORDS,
    reason=WORDS,
    set_at=MOMENTS,
)


@given(RESTRICTIONS, RESTRICTIONS, st.sets(st.sampled_from(sorted(GuardCode))))
def test_a_resume_goes_on_only_over_the_very_restriction_that_it_was_asked_about(
    before: Restriction, after: Restriction, overrides: set[GuardCode]
) -> None:
    """Over any two hands, moments and reasons: the same one, set before the request, or nothing is loosened."""
    standing = inputs(seen=holding(after), asked=asked(overrides=tuple(overrides)))

    allowed = evaluate(ordered(holding(before)), standing).allowed

    assert allowed is (before == after and (after.set_at is None or after.set_at <= ASKED_AT))


def test_no_override_lets_what_loosens_be_late_blind_or_newer() -> None:
    """A form that was filled in yesterday may name them all."""
    assert {GuardCode.RUN_LATE, GuardCode.BLIND, GuardCode.NEWER_HAND} == NEVER_OVERRIDDEN
