"""A person's order becomes a plan: what was left open is filled in, and the same guards weigh it."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.errors import RunbookError
from tasks.model.evidence.evidence import KnownGateway
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.orders import WELL_KNOWN, AssetClass
from tasks.model.probes.probes import Fault, RouteStatus, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.operator_action import ManualAction, Resumed
from tasks.model.remediation.plan import PlannedAction, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.operator_action import form_targets, pause_targets, resumed
from tasks.rules.remediation.planning.operator_plan import plan_for_operator
from tests.fakes.incident.cases import done_before, finding, inputs, orders, past, routing, seen
from tests.fakes.incident.observations import NOW, gateway, health

EQUITY = AssetClass.EQUITY


def manual_action(action: Action, *targets: Target, overrides: tuple[GuardCode, ...] = ()) -> ManualAction:
    """What a person orders."""
    asked = Request(by="ada", reason="the venue says so", overrides=overrides)
    return ManualAction(service="order-service", action=action, asked=asked, targets=targets)


def planned(order: ManualAction, known: GuardInputs | None = None) -> tuple[PlannedAction, ...]:
    """The actions of an order."""
    known = (known or inputs()).model_copy(update={"asked": order.asked})
    return plan_for_operator(order, known, "INC-1").actions


def only(order: ManualAction, known: GuardInputs | None = None) -> PlannedAction:
    """The one action of an order."""
    (action,) = planned(order, known)
    return action


def test_a_pause_of_nothing_named_pauses_every_class_that_anybody_knows_of() -> None:
    """The one click that stops all trading must not depend on a service that answers."""
    known = (KnownGateway(name="CRYP", asset_classes=(AssetClass.CRYPTO,)),)

    found = planned(manual_action(Action.PAUSE_STRATEGIES), inputs(known_gateways=known))
    blind = planned(
        manual_action(Action.PAUSE_STRATEGIES),
        inputs(known_gateways=(), history=(), seen=seen(routing=None, orders=())),
    )

    assert {one.target.asset_class for one in found} == {EQUITY, AssetClass.FX, AssetClass.CRYPTO}
    assert {one.target.asset_class for one in blind} == set(WELL_KNOWN)
    assert {one.target.trading_state for one in blind} == {TradingState.HALTED}


WORST = inputs(
    done_before(5, None),
    done_before(8, Outcome.NOT_RECOVERED),
    done_before(9, Outcome.NOT_RECOVERED),
    mode=Mode.OBSERVE,
    late_s=600.0,
    maintenance=Maintenance(started_at=NOW, until=NOW + timedelta(hours=1)),
    orders=orders(OrderSafety.UNSAFE, "A-1"),
    seen=seen(health=health(Fault.TIMED_OUT)),
)


def test_a_persons_pause_passes_where_nothing_else_would() -> None:
    """Rule 8: late, in mode observe, after half-done and vain actions, at a service that does not answer."""
    assert only(manual_action(Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY)), WORST).verdict.allowed
    assert not only(manual_action(Action.MARK_DEGRADED, Target(gateway="XNAS")), WORST).verdict.allowed


def test_a_pause_that_nobody_can_carry_out_is_refused() -> None:
    """Without a control plane a click would only seem to have paused."""
    known = inputs(capabilities=Capabilities(cannot_control="no token"))

    verdict = only(manual_action(Action.PAUSE_STRATEGIES, Target(strategy="alpha")), known).verdict

    assert verdict.code is GuardCode.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (inputs(mode=Mode.OBSERVE), GuardCode.MODE_FORBIDS),
        (inputs(late_s=31.0), GuardCode.RUN_LATE),
        (inputs(done_before(5, None)), GuardCode.HALF_DONE_ACTION),
        (inputs(done_before(2), done_before(9)), GuardCode.RESTART_BUDGET_SPENT),
        (
            inputs(orders=orders(OrderSafety.UNSAFE, "A-1"), found=(finding(Cause.UNKNOWN),)),
            GuardCode.ORDERS_NOT_PROVEN,
        ),
    ],
)
def test_a_restart_by_hand_obeys_each_guard_unless_it_is_named(known: GuardInputs, code: GuardCode) -> None:
    """A person may pass a guard by, one by one and by its name; another name passes nothing by."""
    plain = only(manual_action(Action.RESTART_SERVICE), known).verdict
    named = only(manual_action(Action.RESTART_SERVICE, overrides=(code,)), known).verdict
    other = only(manual_action(Action.RESTART_SERVICE, overrides=(GuardCode.MARKET_CLOSED,)), known).verdict

    assert plain.code is code
    assert named.allowed
    assert named.passed_by == (code,)
    assert other.code is code


def test_a_guard_that_was_not_in_the_way_is_not_told_as_passed_by() -> None:
    """The ledger tells what a person did, not what a form was filled with."""
    verdict = only(manual_action(Action.RESTART_SERVICE, overrides=(GuardCode.MODE_FORBIDS,))).verdict

    assert verdict.allowed
    assert verdict.passed_by == ()


def test_a_person_needs_neither_a_diagnosis_nor_an_approval_and_may_work_in_a_window() -> None:
    """The person is the diagnosis; in mode propose nobody is asked twice."""
    window = Maintenance(started_at=NOW, until=NOW + timedelta(hours=1))
    unsure = inputs(mode=Mode.PROPOSE, maintenance=window, found=(finding(confidence=Confidence.INCONCLUSIVE),))

    action = only(manual_action(Action.RESTART_SERVICE), unsure)

    assert action.verdict.allowed
    assert action.finding is None


def test_a_hung_service_that_cannot_list_its_orders_may_be_restarted_by_hand_as_well() -> None:
    """What the automation may do, a person may."""
    silent = inputs(orders=orders(OrderSafety.BLIND), seen=seen(health=health(Fault.TIMED_OUT)))

    assert only(manual_action(Action.RESTART_SERVICE), silent).verdict.allowed
    assert not only(
        manual_action(Action.RESTART_SERVICE), inputs(orders=orders(OrderSafety.BLIND), found=(finding(Cause.UNKNOWN),))
    ).verdict.allowed


def test_what_a_person_leaves_open_is_filled_in() -> None:
    """Back means: to the table's own gateway, and to the last release that our checks saw well."""
    led = RouteStatus(
        asset_class=EQUITY, gateway="XNYS", table_gateway="XNAS", alternates=("XNYS",), trading_state="active"
    )
    known = inputs(
        seen=seen(routing=routing(routes=(led,)), health=health().model_copy(update={"release": "1.1.0"})),
        history=(past(3, release="0.9.0"), past(2), past(1, release="1.1.0")),
    )

    assert only(manual_action(Action.REROUTE_ORDERS, Target(asset_class=EQUITY)), known).target.gateway == "XNAS"
    assert only(manual_action(Action.ROLL_BACK_RELEASE, Target()), known).target.release == "1.0.0"
    named = only(manual_action(Action.ROLL_BACK_RELEASE, Target(release="0.9.0")), known)
    assert named.target.release == "0.9.0"


@pytest.mark.parametrize(
    ("action", "target"),
    [
        (Action.PAUSE_STRATEGIES, Target(strategy="alpha")),
        (Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY, trading_state=TradingState.REDUCING)),
        (Action.REROUTE_ORDERS, Target(asset_class=EQUITY, gateway="XNYS")),
        (Action.REROUTE_ORDERS, Target(strategy="alpha")),
    ],
)
def test_what_a_person_named_is_done_as_it_was_named(action: Action, target: Target) -> None:
    """*Reducing* is not made a halt, a gateway is not exchanged for the table's, and a strategy has no state."""
    assert only(manual_action(action, target)).target == target


def test_a_release_that_nobody_saw_well_needs_the_guards_name() -> None:
    """Rule 7: Knight Capital's rollback spread the fault; a person who knows better says so."""
    order = manual_action(Action.ROLL_BACK_RELEASE, Target(release="0.1.0"))

    assert only(order).verdict.code is GuardCode.NO_GOOD_RELEASE


def test_nothing_named_resumes_what_is_paused_and_nothing_else() -> None:
    """A class that trades is not touched."""
    paused = tuple(
        one.model_copy(update={"trading_state": "halted"}) if one.asset_class == EQUITY else one
        for one in routing().routes
    )

    found = planned(manual_action(Action.RESUME), inputs(seen=seen(routing=routing(routes=paused))))

    assert [one.target.asset_class for one in found] == [EQUITY]


def test_a_mark_is_taken_off_only_a_gateway_that_was_seen_to_answer() -> None:
    """Nobody's look is no reason to send orders there again."""
    order = manual_action(Action.RESUME, Target(gateway="XNAS"))
    dead = inputs(seen=seen(gateways=(gateway("XNAS", Seen.FAILED),)))

    assert only(order).verdict.allowed
    assert only(order, dead).verdict.code is GuardCode.CLASS_NOT_WELL
    assert only(order, inputs(seen=seen(gateways=()))).verdict.code is GuardCode.CLASS_NOT_WELL


def test_the_same_order_twice_is_two_actions() -> None:
    """The second one is not the first one's end."""
    order = manual_action(Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY))
    later = inputs(now=NOW + timedelta(minutes=1))

    assert only(order).key != only(order, later).key
    assert only(order).key.startswith("INC-1/pause_strategies/equity-halted/by-hand-")


@pytest.mark.parametrize(
    ("asset_class", "strategy", "state", "targets"),
    [
        (None, " ", TradingState.HALTED, ()),
        (EQUITY, "", TradingState.REDUCING, (Target(asset_class=EQUITY, trading_state=TradingState.REDUCING),)),
        (None, " alpha ", TradingState.HALTED, (Target(strategy="alpha"),)),
        (
            EQUITY,
            "alpha",
            TradingState.ACTIVE,
            (Target(strategy="alpha"), Target(asset_class=EQUITY, trading_state=TradingState.HALTED)),
        ),
    ],
)
def test_a_pause_is_never_refused_for_how_it_was_asked_for(
    asset_class: AssetClass | None, strategy: str, state: TradingState, targets: tuple[Target, ...]
) -> None:
    """In a hurry people fill in too much or too little; *active* in a pause form means halted."""
    assert pause_targets(asset_class, strategy, state) == targets


def test_a_form_halts_everything_only_where_that_is_ticked() -> None:
    """A field that was left empty by accident is no order to halt four markets; what is ticked goes before it."""
    halted = TradingState.HALTED

    assert form_targets(None, "", halted, everything=True) == ()
    assert form_targets(EQUITY, "alpha", halted, everything=True) == ()
    assert form_targets(EQUITY, "", halted, everything=False) == pause_targets(EQUITY, "", halted)
    with pytest.raises(RunbookError) as refused:
        form_targets(None, " ", halted, everything=False)
    assert str(refused.value) == (
        "BAD_ARGUMENT: expected a class, a strategy or everything, found none; "
        "nothing was paused: choose one, submit again"
    )


@pytest.mark.parametrize("what", [Resumed.STRATEGY, Resumed.GATEWAY_MARK, Resumed.ROUTE])
def test_what_is_taken_back_must_be_named(what: Resumed) -> None:
    """Nothing is guessed where something is taken back."""
    with pytest.raises(RunbookError, match="expected a"):
        resumed(manual_action(Action.RESUME), what, None, "")


def test_a_class_that_nobody_knows_is_not_halted_in_its_stead() -> None:
    """A slip of the pen would stop nothing, read as done, and the class that was meant goes on trading."""
    option = AssetClass("option")
    order = manual_action(Action.PAUSE_STRATEGIES, Target(asset_class=option))
    gateways = (KnownGateway(name="CBOE", asset_classes=(option,)),)
    unknown = only(order, inputs(history=()))
    known = [
        only(order, inputs(known_classes=(option,), history=())),
        only(order, inputs(known_gateways=gateways, history=())),
        only(order, inputs(history=(past(1, routes={option: "CBOE"}),))),
    ]

    assert unknown.verdict.code is GuardCode.BAD_TARGET
    assert "equity, future, fx, crypto, found option" in unknown.verdict.detail
    assert [one.verdict.code for one in known] == [GuardCode.ALLOWED] * 3
