"""The mutation proof: for each guard of each action a case that this guard alone forbids.

With the guard in its place the action is refused with its code; with that one guard taken out it goes on. So no guard
can be forced open, or dropped from the table, without a red test here.
"""

from datetime import timedelta
from typing import NamedTuple

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Kind
from tasks.model.diagnosis.limits import RemediationLimits
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.control import TradingState
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Fault, InstanceProbe, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.remediation.plan import PlannedAction, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards import (
    effect,
    every_action,
    loosening,
    one_instance,
    reroute,
    restart,
    resume,
    roll_back,
)
from tasks.rules.remediation.guards.evaluate import GUARDS, Guard, evaluate
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tests.fakes.incident.cases import done_before, finding, inputs, orders, past, planned, routing, seen, unreachable
from tests.fakes.incident.observations import NOW, gateway, health, metrics, process

SICK = unreachable("XNAS")
BAD_RELEASE = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))
FINDINGS = {Action.REROUTE_ORDERS: SICK, Action.MARK_DEGRADED: SICK, Action.ROLL_BACK_RELEASE: BAD_RELEASE}
EQUITY = Target(asset_class=AssetClass.EQUITY, gateway="XNYS")
TARGETS = {
    Action.REROUTE_ORDERS: EQUITY,
    Action.PAUSE_STRATEGIES: Target(asset_class=AssetClass.EQUITY),
    Action.RESUME: Target(asset_class=AssetClass.EQUITY),
    Action.MARK_DEGRADED: Target(gateway="XNAS"),
    Action.RESTORE_ROUTING: Target(table_hash="a" * 64),
    Action.DISABLE_FEATURE: Target(feature="order_throttle"),
    Action.ROLL_BACK_RELEASE: Target(release="1.0.0"),
}
WINDOW = Maintenance(started_at=NOW, until=NOW + timedelta(hours=1), reason="work")
CLOSED = MarketHours(
    asset_class=AssetClass.EQUITY,
    calendar="XNYS",
    at=NOW,
    open=False,
    session=MarketSession.WEEKEND,
    next_open=None,
    next_close=None,
)


class Case(NamedTuple):
    """What is changed so that one guard forbids, and the code that it gives."""

    code: GuardCode
    changes: dict[str, object]


def step(action: Action) -> PlannedAction:
    """One action as a plan would have it."""
    return planned(action, FINDINGS.get(action), TARGETS.get(action))


def given(action: Action, changes: dict[str, object]) -> GuardInputs:
    """Inputs under which every guard of an action allows, with what is changed."""
    before = changes.pop("before", ())
    asked = {"asked": Request(by="kim", reason="venue is back")} if action is Action.RESUME else {}
    found = (FINDINGS[action],) if action in FINDINGS else (finding(),)
    return inputs(*before, **{"found": found, **asked, **changes})  # type: ignore[misc, arg-type]


def done(action: Action) -> dict[str, object]:
    """The same action was done before in this incident."""
    return {"before": (done_before(60, Outcome.DONE, action, key=step(action).key),)}


FAILED_TWICE = (done_before(200, Outcome.NOT_RECOVERED), done_before(100, Outcome.NOT_RECOVERED))
# For each guard the change that it alone forbids.
CASES: dict[Guard, Case] = {
    every_action.no_maintenance: Case(GuardCode.MAINTENANCE, {"maintenance": WINDOW}),
    every_action.not_late: Case(GuardCode.RUN_LATE, {"late_s": 31.0}),
    every_action.nothing_half_done: Case(GuardCode.HALF_DONE_ACTION, {"before": (done_before(600, None),)}),
    every_action.nothing_under_way: Case(GuardCode.LOCK_HELD, {"acting": "flow_run=another"}),
    every_action.effect_proven: Case(
        GuardCode.HALF_DONE_ACTION,
        {"before": (done_before(60, Outcome.DONE, Action.DISABLE_FEATURE, key="INC-1/disable_feature/other"),)},
    ),
    every_action.remediation_helps: Case(GuardCode.REMEDIATION_INEFFECTIVE, {"before": FAILED_TWICE}),
    every_action.can_control: Case(GuardCode.NOT_AVAILABLE, {"capabilities": Capabilities(cannot_control="no token")}),
    every_action.mode_allows: Case(GuardCode.MODE_FORBIDS, {"mode": Mode.OBSERVE}),
    restart.can_restart: Case(
        GuardCode.NOT_AVAILABLE,
        {"capabilities": Capabilities(cannot_restart="no command", releases=("1.0.0", "1.1.0"))},
    ),
    restart.no_shared_cause: Case(
        GuardCode.SHARED_CAUSE, {"found": (finding(), BAD_RELEASE, unreachable("XNAS", "XCME"))}
    ),
    restart.neighbors_healthy: Case(GuardCode.SHARED_CAUSE, {"unhealthy_neighbors": ("orders-b",)}),
    restart.restart_budget: Case(GuardCode.RESTART_BUDGET_SPENT, {"before": (done_before(2), done_before(9))}),
    restart.orders_proven: Case(GuardCode.ORDERS_NOT_PROVEN, {"orders": orders(OrderSafety.UNSAFE, "A-1")}),
    reroute.alternate_is_approved: Case(GuardCode.NO_ALTERNATE, {"known_gateways": ()}),
    reroute.alternate_is_healthy: Case(GuardCode.ALTERNATE_NOT_HEALTHY, {"seen": seen(gateways=())}),
    reroute.market_is_open: Case(GuardCode.MARKET_CLOSED, {"markets": (CLOSED,)}),
    reroute.bears_the_load: Case(
        GuardCode.ORDER_RATE_LIMIT, {"capabilities": Capabilities(order_rate_limits_per_s={"XNYS": 1.0})}
    ),
    roll_back.can_roll_back: Case(
        GuardCode.NOT_AVAILABLE, {"capabilities": Capabilities(cannot_roll_back="none", releases=("1.0.0", "1.1.0"))}
    ),
    roll_back.not_rolled_back_before: Case(
        GuardCode.ROLLED_BACK_BEFORE, {"before": (done_before(60, action=Action.ROLL_BACK_RELEASE),)}
    ),
    roll_back.gateways_healthy: Case(
        GuardCode.GATEWAYS_NOT_HEALTHY, {"seen": seen(gateways=(gateway("XNAS", Seen.FAILED),))}
    ),
    roll_back.target_was_healthy: Case(GuardCode.NO_GOOD_RELEASE, {"capabilities": Capabilities(releases=("1.1.0",))}),
    roll_back.same_features: Case(
        GuardCode.FEATURES_DIFFER,
        {"history": (past(2, features={"a": False}),), "seen": seen(routing=routing(features={"a": True}))},
    ),
    roll_back.same_routing: Case(
        GuardCode.ROUTING_DIFFERS, {"history": (past(2, routes={AssetClass.EQUITY: "XNYS"}),)}
    ),
    roll_back.same_table: Case(
        GuardCode.ROUTING_DIFFERS, {"seen": seen(routing=routing(table_hash="b" * 64, file_hash="b" * 64))}
    ),
    resume.operator_only: Case(GuardCode.BY_HAND_ONLY, {"asked": None}),
    resume.class_is_healthy: Case(GuardCode.CLASS_NOT_WELL, {"seen": seen(health=health(Fault.TIMED_OUT))}),
}


HALTED = tuple(one.model_copy(update={"trading_state": "halted"}) for one in routing().routes)
DISABLED = DependencyStatus(name="XNAS", status="down", set_to="disabled")
STRICTEST = seen(routing=routing(routes=HALTED), health=health().model_copy(update={"dependencies": (DISABLED,)}))


LONG_AGO = Request(by="kim", reason="venue is back", at=NOW - timedelta(seconds=91))
LED = tuple(
    one.model_copy(update={"gateway": "XNAS", "table_gateway": "XNYS"}) if one.asset_class == AssetClass.EQUITY else one
    for one in routing().routes
)
BY_JANE = tuple(
    Restriction(kind=kind, name="equity", state="x", set_by="jane", set_at=NOW) for kind in (Held.TRADING, Held.ROUTE)
)
LOOSENING: dict[Guard, Case] = {
    loosening.not_stale: Case(GuardCode.RUN_LATE, {"asked": LONG_AGO, "seen": seen(routing=routing(routes=LED))}),
    loosening.nothing_set_since: Case(
        GuardCode.NEWER_HAND,
        {
            "asked": LONG_AGO.model_copy(update={"at": NOW - timedelta(seconds=1)}),
            "seen": seen(routing=routing(routes=LED, restrictions=BY_JANE)),
        },
    ),
}


def back(action: Action) -> PlannedAction:
    """A person's order that lets more through."""
    return step(action).model_copy(update={"finding": None})


def less(action: Action) -> PlannedAction:
    """A pause or mark that is less than what is in force."""
    if action is Action.MARK_DEGRADED:
        return step(action)
    reduced = Target(asset_class=AssetClass.EQUITY, trading_state=TradingState.REDUCING)
    return step(action).model_copy(update={"target": reduced})


def pairs() -> list[tuple[Action, Guard]]:
    """Every guard of every action."""
    return [(action, guard) for action, guards in GUARDS.items() for guard in guards]


def effect_case(action: Action, guard: Guard) -> tuple[PlannedAction, GuardInputs, GuardCode]:
    """The case of a guard that goes by the effect of an action."""
    if guard in LOOSENING:
        return back(action), given(action, dict(LOOSENING[guard].changes)), LOOSENING[guard].code
    if guard is loosening.sees_what_is_in_force:
        alpha = step(action).model_copy(update={"target": Target(strategy="alpha")})
        return alpha, given(action, {"seen": seen(routing=None)}), GuardCode.BLIND
    return less(action), given(action, {"seen": STRICTEST}), GuardCode.WOULD_LOOSEN


def of_instance(guard: Guard) -> tuple[PlannedAction, GuardInputs, GuardCode]:
    """The case of a guard of one instance among several."""
    target = Target(instance="b")
    wanted = step(Action.RESTART_SERVICE).model_copy(update={"target": target})
    healthy = [InstanceProbe(instance=one, health=health(), process=process(), metrics=metrics()) for one in "ab"]
    before = done_before(5, Outcome.DONE, key="INC-0/restart_service/a/1")
    if guard is one_instance.one_at_a_time:
        return wanted, inputs(before, seen=seen(instances=tuple(healthy))), GuardCode.ONE_AT_A_TIME
    return wanted, inputs(seen=seen(instances=(healthy[1],))), GuardCode.LAST_INSTANCE


def helped_for_a_while(action: Action) -> GuardInputs:
    """Inputs under which an action was done three times for its cause, longer ago than any budget reaches."""
    wanted = step(action)
    same = {"cause": wanted.finding.cause if wanted.finding else "", "target": wanted.target.words}
    before = tuple(done_before(60 * hours, action=action).model_copy(update=same) for hours in (31, 30, 29))
    waits = RemediationLimits(back_off_s=86_400, back_off_longest_s=604_800)
    return given(
        action, {"before": before, "capabilities": Capabilities(remediation=waits, releases=("1.0.0", "1.1.0"))}
    )


def case_of(action: Action, guard: Guard) -> tuple[PlannedAction, GuardInputs, GuardCode]:
    """The case of one guard of one action."""
    if guard is every_action.not_undone:
        return step(action), given(action, done(action)), GuardCode.UNDONE_BY_PERSON
    if guard is every_action.confirmed:
        unsure = step(action).finding.model_copy(update={"confidence": Confidence.LIKELY})  # type: ignore[union-attr]
        likely = step(action).model_copy(update={"finding": unsure})
        return likely, given(action, {}), GuardCode.NOT_CONFIRMED
    if guard is every_action.target_is_named:
        unseen = step(action).target.model_copy(update={"strategy": "\u200b"})
        return step(action).model_copy(update={"target": unseen}), given(action, {}), GuardCode.BAD_TARGET
    if guard in {*LOOSENING, loosening.sees_what_is_in_force, effect.never_loosens}:
        return effect_case(action, guard)
    if guard in {one_instance.leaves_one_serving, one_instance.one_at_a_time}:
        return of_instance(guard)
    case = CASES.get(guard)
    these = given(action, dict(case.changes)) if case else helped_for_a_while(action)
    return step(action), these, case.code if case else GuardCode.BACK_OFF


@pytest.mark.parametrize("action", list(Action))
def test_every_action_is_allowed_when_nothing_is_in_its_way(action: Action) -> None:
    """Else the cases below would prove nothing."""
    verdict = evaluate(step(action), given(action, {}))

    assert verdict.allowed, verdict


@pytest.mark.parametrize(("action", "guard"), pairs(), ids=lambda one: getattr(one, "__name__", str(one)))
def test_each_guard_alone_forbids_its_action(action: Action, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused with it, and done without it: this guard is what stands between."""
    if guard is every_action.not_undone and action in {Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE}:
        pytest.skip("a restart leaves nothing that could be undone; a rollback has a budget of its own")
    one, these, code = case_of(action, guard)
    assert evaluate(one, these).code is code

    without = tuple(other for other in GUARDS[action] if other is not guard)
    monkeypatch.setitem(GUARDS, action, without)

    assert evaluate(one, these).allowed
