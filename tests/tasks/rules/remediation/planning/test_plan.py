"""From a diagnosis to a plan: the right actions for each cause, in order, and none of the forbidden ones."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.changes import GatewayTransition
from tasks.model.diagnosis.diagnosis import Cause, Finding, Kind
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, RouteStatus, Seen
from tasks.model.remediation.plan import Due, Plan, Target
from tasks.model.remediation.remediation import ActionResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.planning.due import is_due
from tasks.rules.remediation.planning.plan import REMEDIES, make_plan
from tests.fakes.incident.cases import (
    INCIDENT,
    ROUTES,
    done_before,
    finding,
    inputs,
    past,
    planned,
    routing,
    seen,
    unreachable,
)
from tests.fakes.incident.observations import NOW, gateway, metrics, order


def plan_of(given: GuardInputs) -> Plan:
    """Plan with one incident for all causes."""
    return make_plan(given, dict.fromkeys(Cause, INCIDENT))


def actions(given: GuardInputs) -> list[tuple[Action, str]]:
    return [(one.action, one.target.words) for one in plan_of(given).actions]


def xnas_dead(**changes: object) -> Observation:
    """A round in which XNAS does not answer."""
    names = [one for pair in ROUTES.values() for one in pair]
    probes = tuple(gateway(one, Seen.FAILED if one == "XNAS" else Seen.PASSED) for one in names)
    return seen(gateways=probes, **changes)


def equity_route(**changes: object) -> dict[str, object]:
    """A table with one route, for equities."""
    inputs = {"asset_class": AssetClass.EQUITY, "gateway": "XNAS", "table_gateway": "XNAS", **changes}
    return {"routing": routing(routes=(RouteStatus.model_validate(inputs),))}


SICK = unreachable("XNAS")


def test_every_cause_has_a_remedy_or_is_left_alone_on_purpose() -> None:
    """A new cause cannot be forgotten here."""
    assert set(REMEDIES) == set(Cause)


@pytest.mark.parametrize("cause", [Cause.SERVICE_HUNG, Cause.SERVICE_DOWN])
def test_a_hung_or_dead_service_is_restarted(cause: Cause) -> None:
    """FAULTS 1, 2, 8: restart once; nothing else in any case."""
    always = [one for one in plan_of(inputs(found=(finding(cause),))).actions if one.due is Due.ALWAYS]

    assert [one.action for one in always] == [Action.RESTART_SERVICE]


@pytest.mark.parametrize("kind", [Kind.MEMORY, Kind.DESCRIPTORS])
def test_a_service_that_runs_out_of_something_is_restarted_before_the_kernel_ends_it(kind: Kind) -> None:
    """FAULTS 5, 25."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED, kinds=(kind,))

    assert actions(inputs(found=(leaking,)))[0] == (Action.RESTART_SERVICE, "")


def test_a_crash_loop_is_never_restarted_once_more() -> None:
    """FAULTS 3: hands off, and pause."""
    assert actions(inputs(found=(finding(Cause.CRASH_LOOP),))) == [
        (Action.PAUSE_STRATEGIES, "equity halted"),
        (Action.PAUSE_STRATEGIES, "fx halted"),
    ]


def test_a_dead_gateway_is_marked_and_led_around_and_its_class_alone_is_touched() -> None:
    """FAULTS 10, 11: never a restart, and no other class."""
    plan = plan_of(inputs(found=(SICK,), seen=xnas_dead()))

    assert [(one.action, one.target.words, one.due) for one in plan.actions] == [
        (Action.MARK_DEGRADED, "XNAS", Due.ALWAYS),
        (Action.REROUTE_ORDERS, "equity XNYS", Due.ALWAYS),
        (Action.PAUSE_STRATEGIES, "equity halted", Due.IF_NOT_DONE),
    ]
    assert plan.actions[2].other == plan.actions[1].key
    assert all(one.verdict.allowed for one in plan.actions)


def test_a_dead_gateway_without_an_alternate_pauses_its_class() -> None:
    """FAULTS 10: else pause that class, and say why it was not led around."""
    plan = plan_of(inputs(found=(SICK,), seen=xnas_dead(**equity_route())))

    assert plan.actions[1].verdict.code is GuardCode.NO_ALTERNATE
    assert plan.actions[2].verdict.allowed


def test_what_is_paused_already_is_left_paused() -> None:
    """The next minute finds the class halted and does nothing about it."""
    halted = xnas_dead(**equity_route(alternates=("XNYS",), trading_state="halted"))

    assert actions(inputs(found=(SICK,), seen=halted)) == [(Action.MARK_DEGRADED, "XNAS")]


@pytest.mark.parametrize("outcome", [OrderOutcome.REJECTED, OrderOutcome.UNKNOWN])
def test_a_gateway_that_rejects_or_never_answers_pauses_its_class(outcome: OrderOutcome) -> None:
    """FAULTS 12, 15: no re-route of what is unknown, no limit raised."""
    sick = finding(Cause.GATEWAY_FAILING, gateways=("XNAS",), asset_classes=(AssetClass.EQUITY,))
    bad = order(AssetClass.EQUITY, outcome).model_copy(update={"code": "VENUE_REJECT"})

    assert actions(inputs(found=(sick,), seen=seen(orders=(bad, order(AssetClass.FX))))) == [
        (Action.PAUSE_STRATEGIES, "equity halted")
    ]


def slow_xnas(**changes: object) -> GuardInputs:
    """XNAS takes three seconds."""
    slow = finding(Cause.GATEWAY_FAILING, gateways=("XNAS",), asset_classes=(AssetClass.EQUITY,))
    late = gateway("XNAS").model_copy(update={"latency_ms": 3000.0})
    others = tuple(gateway(name).model_copy(update={"latency_ms": 1.0}) for name in ("XNYS", "FXALL", "XCME"))
    return inputs(found=(slow,), seen=seen(gateways=(late, *others), **changes))


def test_a_slow_gateway_is_marked_and_its_class_only_reduces() -> None:
    """FAULTS 13: latency-sensitive strategies stop, positions may be closed; no restart and no rollback."""
    assert actions(slow_xnas()) == [
        (Action.MARK_DEGRADED, "XNAS"),
        (Action.PAUSE_STRATEGIES, f"equity {TradingState.REDUCING}"),
    ]


def test_a_class_of_which_nobody_can_say_how_it_stands_is_halted_rather_than_reduced() -> None:
    """A person may have halted it, and *reducing* would let new orders out again."""
    broken = slow_xnas(routing=routing(seen=Seen.FAILED, routes=()), orders=(order(AssetClass.EQUITY),))

    assert (Action.PAUSE_STRATEGIES, f"equity {TradingState.HALTED}") in actions(broken)


def test_a_class_whose_test_order_was_denied_as_halted_is_left_as_it_is() -> None:
    """A route is not the only one who knows."""
    denied = order(AssetClass.EQUITY, OrderOutcome.DENIED, "XNAS").model_copy(update={"code": "TRADING_HALTED"})

    found = actions(slow_xnas(routing=routing(seen=Seen.FAILED, routes=()), orders=(denied,)))

    assert [one for one, _ in found] == [Action.MARK_DEGRADED]


def test_a_number_of_the_metrics_leaves_no_pause_out() -> None:
    """No contract says which number means halted: another service may count the other way."""
    numbers = metrics().model_copy(update={"trading_states": {"equity": "halted"}})

    found = actions(slow_xnas(routing=routing(seen=Seen.NOT_CONFIGURED, routes=()), metrics=numbers))

    assert Action.PAUSE_STRATEGIES in [one for one, _ in found]


def test_a_flapping_gateway_is_marked_and_never_switched_to_and_fro() -> None:
    """FAULTS 14: hysteresis, one incident, no route changes."""
    flapping = finding(Cause.GATEWAY_FAILING, gateways=("XNAS",), kinds=(Kind.UNSTABLE,))
    turns = tuple(
        GatewayTransition(at=NOW - timedelta(seconds=80 - number * 10), gateway="XNAS", up=bool(number % 2))
        for number in range(8)
    )

    assert actions(inputs(found=(flapping,), gateway_turns=turns)) == [(Action.MARK_DEGRADED, "XNAS")]


def misrouted(*kinds: Kind, classes: tuple[AssetClass, ...] = (AssetClass.EQUITY,)) -> Finding:
    """A routing table that leads wrong."""
    return finding(Cause.ROUTING_MISCONFIGURED, kinds=kinds, asset_classes=classes)


@pytest.mark.parametrize("kind", [Kind.WRONG_RULE, Kind.CLASS_MISSING])
def test_a_wrong_table_is_taken_back_to_the_last_one_that_served_well(kind: Kind) -> None:
    """FAULTS 17, 18: restore and verify; pause the class while that is not done; no default route, no restart."""
    now = seen(routing=routing(table_hash="b" * 64, file_hash="b" * 64))
    plan = plan_of(inputs(found=(misrouted(kind),), seen=now))

    assert [(one.action, one.due) for one in plan.actions] == [
        (Action.RESTORE_ROUTING, Due.ALWAYS),
        (Action.PAUSE_STRATEGIES, Due.IF_NOT_DONE),
    ]
    assert plan.actions[0].target.table_hash == "a" * 64
    assert plan.actions[0].target.routes == {AssetClass.EQUITY: "XNAS"}


def test_a_broken_file_gets_back_the_very_table_that_serves() -> None:
    """FAULTS 19: latent; nothing is paused, and a restart would make it real."""
    broken = seen(routing=routing(file_hash="c" * 64, file_error="line 3"))
    plan = plan_of(inputs(found=(misrouted(Kind.LATENT, classes=()),), seen=broken))

    assert [(one.action, one.target.table_hash) for one in plan.actions] == [(Action.RESTORE_ROUTING, "a" * 64)]


def test_a_table_that_was_never_seen_to_serve_well_is_not_invented() -> None:
    """No default route: without a good table nothing is restored."""
    now = seen(routing=routing(table_hash="b" * 64))
    plan = plan_of(inputs(found=(misrouted(Kind.WRONG_RULE),), seen=now, history=(past(2, table_hash="b" * 64),)))

    assert plan.actions[0].target.table_hash is None


def test_a_bad_release_goes_back_and_halts_where_that_does_not_help() -> None:
    """FAULTS 4, 20, 21."""
    bad = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))
    plan = plan_of(inputs(found=(bad,)))

    assert (plan.actions[0].action, plan.actions[0].target.release) == (Action.ROLL_BACK_RELEASE, "1.0.0")
    assert {(one.action, one.due) for one in plan.actions[1:]} == {(Action.PAUSE_STRATEGIES, Due.IF_INEFFECTIVE)}


def test_a_bad_feature_is_switched_off_and_its_release_stays() -> None:
    """FAULTS 22."""
    bad = finding(Cause.BAD_FEATURE, feature="order_throttle", asset_classes=(AssetClass.FX,))

    assert actions(inputs(found=(bad,)))[0] == (Action.DISABLE_FEATURE, "order_throttle")


def test_a_wild_strategy_is_paused_and_no_other() -> None:
    """FAULTS 30."""
    wild = finding(Cause.CLIENT_MISBEHAVIOUR, strategies=("alpha",))

    assert actions(inputs(found=(wild,))) == [(Action.PAUSE_STRATEGIES, "alpha")]


@pytest.mark.parametrize("cause", [Cause.OBSERVABILITY_FAULT, Cause.MONITOR_BLIND, Cause.UNKNOWN])
def test_what_is_only_told_is_not_acted_on(cause: Cause) -> None:
    """FAULTS 9, 27: a note, and no trading action."""
    assert actions(inputs(found=(finding(cause),))) == []


def test_a_full_disk_is_told_and_a_taken_port_pauses() -> None:
    """FAULTS 23, 26: no restart, and nobody's process is killed."""
    assert actions(inputs(found=(finding(Cause.INFRASTRUCTURE, kinds=(Kind.STORAGE,)),))) == []
    on_port = actions(inputs(found=(finding(Cause.INFRASTRUCTURE, kinds=(Kind.PORT,)),)))
    assert {action for action, _ in on_port} == {Action.PAUSE_STRATEGIES}


def test_a_hung_service_beside_a_dead_gateway_is_restarted_first() -> None:
    """FAULTS 29: both, in order, one after the other."""
    plan = plan_of(inputs(found=(finding(), SICK), seen=xnas_dead()))

    always = [one.action for one in plan.actions if one.due is Due.ALWAYS]

    assert always == [Action.RESTART_SERVICE, Action.MARK_DEGRADED, Action.REROUTE_ORDERS]


def test_a_cause_without_an_incident_is_not_acted_on() -> None:
    """What cannot be recorded must not be done."""
    assert make_plan(inputs(), {}).actions == ()


def test_observe_plans_everything_and_allows_nothing() -> None:
    """Rule 12: the plan is still shown."""
    plan = plan_of(inputs(mode=Mode.OBSERVE))

    assert plan.actions
    assert {one.verdict.code for one in plan.actions} == {GuardCode.MODE_FORBIDS}


def test_a_plan_says_how_many_restarts_there_were() -> None:
    """The second one of a quarter of an hour is for the developers, too."""
    before = (done_before(2), done_before(20), done_before(3, action=Action.MARK_DEGRADED))

    assert plan_of(inputs(*before)).restarts_before_count == 1


def test_a_pause_that_two_causes_may_need_waits_for_either_end() -> None:
    """A hung service beside a dead gateway: equity is paused where nobody answers, and where no re-route is done."""
    dead = unreachable("XNAS")
    given = inputs(found=(finding(), dead), seen=xnas_dead(**equity_route()))

    pauses = [one for one in plan_of(given).actions if one.target.asset_class == AssetClass.EQUITY and one.other]

    assert [(one.action, one.due) for one in pauses] == [
        (Action.PAUSE_STRATEGIES, Due.IF_EXPIRED),
        (Action.PAUSE_STRATEGIES, Due.IF_NOT_DONE),
    ]


def test_what_is_done_once_is_not_due_again_in_the_same_run() -> None:
    """The second pause of a class would only be reported twice."""
    pause = planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.FX))
    again = pause.model_copy(update={"due": Due.IF_NOT_DONE, "other": "another"})
    done, refused = (ActionResult(planned=pause, outcome=one, detail="") for one in (Outcome.DONE, Outcome.REFUSED))

    assert not is_due(again, (done,))
    assert is_due(again, (refused,))
