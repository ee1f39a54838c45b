"""The guards of a rollback (safety rule 7): each test goes red when its guard is forced open."""

import pytest

from tasks.model.diagnosis import Cause, Kind, Status
from tasks.model.incident import Action, Outcome
from tasks.model.looks import Seen
from tasks.model.order_states import OrderSafety
from tasks.model.orders import AssetClass
from tasks.model.plan import PlannedAction, Target
from tasks.model.setup import Setup
from tasks.model.verdicts import GuardCode
from tasks.rules.guards.table import weigh
from tests.fakes.cases import done_before, facts, finding, orders, past, planned, routing, seen, unreachable
from tests.fakes.looks import gateway

BAD = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))


def roll_back(to: str | None = "1.0.0") -> PlannedAction:
    """Back from 1.1.0."""
    return planned(Action.ROLL_BACK_RELEASE, BAD, Target(release=to))


def test_a_bad_release_goes_back_to_the_one_that_was_seen_healthy() -> None:
    """With every guard satisfied the rollback goes on."""
    assert weigh(roll_back(), facts(found=(BAD,))).allowed


def test_a_service_without_a_rollback_command_is_left_to_a_person() -> None:
    """What the settings do not name is not guessed."""
    cannot = Setup(releases=("1.0.0",), cannot_roll_back="no roll_back_command")

    assert weigh(roll_back(), facts(found=(BAD,), setup=cannot)).code is GuardCode.NOT_AVAILABLE


def test_worse_means_halt_and_not_a_deeper_rollback() -> None:
    """Rule 7; Knight Capital, 2012: the rollback spread the fault."""
    before = done_before(60, Outcome.RECOVERED, Action.ROLL_BACK_RELEASE)

    assert weigh(roll_back(), facts(before, found=(BAD,))).code is GuardCode.ROLLED_BACK_BEFORE


def test_two_sick_gateways_forbid_a_rollback() -> None:
    """Rule 6: two at once point to a shared cause."""
    sick = facts(found=(BAD, unreachable("XNAS", "XCME")))

    assert weigh(roll_back(), sick).code is GuardCode.SHARED_CAUSE


@pytest.mark.parametrize("probes", [(), (gateway("XNAS", Seen.FAILED),), (gateway("XNAS", Seen.BLIND),)])
def test_a_rollback_needs_every_gateway_healthy_by_its_own_answer(probes: tuple[object, ...]) -> None:
    """Errors that may be a venue's are no reason to change our code."""
    assert weigh(roll_back(), facts(found=(BAD,), seen=seen(gateways=probes))).code is GuardCode.GATEWAYS_NOT_HEALTHY


@pytest.mark.parametrize("to", [None, "0.9.0"])
def test_nobody_rolls_back_to_a_release_that_was_never_seen_healthy(to: str | None) -> None:
    """Rule 7: a release is good because it was seen so, not because it is older."""
    assert weigh(roll_back(to), facts(found=(BAD,))).code is GuardCode.NO_GOOD_RELEASE


def test_a_release_whose_looks_were_all_bad_is_no_target() -> None:
    """It ran, and it was ill."""
    ill = facts(found=(BAD,), history=(past(2, status=Status.DEGRADED),))

    assert weigh(roll_back(), ill).code is GuardCode.NO_GOOD_RELEASE


def test_a_release_that_was_cleaned_away_is_no_target() -> None:
    """Nothing can be started that is not there."""
    assert weigh(roll_back(), facts(found=(BAD,), setup=Setup(releases=("1.1.0",)))).code is GuardCode.NO_GOOD_RELEASE


def test_a_switch_that_stood_otherwise_then_forbids_the_rollback() -> None:
    """Knight Capital, 2012: an old release met a flag that meant something else to it."""
    then = past(2, features={"order_throttle": False})
    now = seen(routing=routing(features={"order_throttle": True}))

    assert weigh(roll_back(), facts(found=(BAD,), history=(then,), seen=now)).code is GuardCode.FEATURES_DIFFER


def test_a_switch_that_the_old_release_does_not_know_does_not_forbid_it() -> None:
    """What came with the bad release goes with it."""
    then = past(2, features={})
    now = seen(routing=routing(features={"new_smart_router": True}))

    assert weigh(roll_back(), facts(found=(BAD,), history=(then,), seen=now)).allowed


def test_routes_that_lay_otherwise_then_forbid_the_rollback() -> None:
    """The old release was healthy with other lines than today's."""
    then = past(2, routes={AssetClass.EQUITY: "XNYS"})

    assert weigh(roll_back(), facts(found=(BAD,), history=(then,))).code is GuardCode.ROUTING_DIFFERS


@pytest.mark.parametrize("safety", [OrderSafety.UNSAFE, OrderSafety.BLIND])
def test_unproven_orders_stop_a_rollback(safety: OrderSafety) -> None:
    """Rule 5: the process that knows of them would be stopped."""
    verdict = weigh(roll_back(), facts(found=(BAD,), orders=orders(safety, "A-1")))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN


def test_a_release_that_crashes_cannot_answer_for_its_orders_and_is_rolled_back() -> None:
    """Rule 5: the journal keeps them, and the release that comes back asks for them."""
    crashes = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.CRASHES,))
    back = planned(Action.ROLL_BACK_RELEASE, crashes, Target(release="1.0.0"))

    assert weigh(back, facts(found=(crashes,), orders=orders(OrderSafety.BLIND))).allowed


def test_what_a_service_that_is_down_does_not_tell_is_what_the_run_before_saw() -> None:
    """Nobody's answer is not the same switches, nor the same routes."""
    silent = seen(routing=routing(seen=Seen.FAILED, routes=(), features={}))
    then = past(2, features={"order_throttle": False})
    now = past(1, status=Status.DEGRADED, features={"order_throttle": True})
    elsewhere = past(1, status=Status.DEGRADED, routes={AssetClass.EQUITY: "XNYS"})

    switched = weigh(roll_back(), facts(found=(BAD,), history=(then, now), seen=silent))
    routed = weigh(roll_back(), facts(found=(BAD,), history=(past(2), elsewhere), seen=silent))

    assert (switched.code, routed.code) == (GuardCode.FEATURES_DIFFER, GuardCode.ROUTING_DIFFERS)
