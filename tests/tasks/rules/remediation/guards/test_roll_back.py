"""The guards of a rollback (safety rule 7): each test goes red when its guard is forced open."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind, Status
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.history import PastObservation
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import PlannedAction, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.change_actions import last_good_release
from tests.fakes.incident.cases import done_before, finding, inputs, orders, past, planned, routing, seen, unreachable
from tests.fakes.incident.observations import gateway

BAD = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))


def roll_back(to: str | None = "1.0.0") -> PlannedAction:
    """Back from 1.1.0."""
    return planned(Action.ROLL_BACK_RELEASE, BAD, Target(release=to))


def test_a_bad_release_goes_back_to_the_one_that_was_seen_healthy() -> None:
    """With every guard satisfied the rollback goes on."""
    assert evaluate(roll_back(), inputs(found=(BAD,))).allowed


def test_a_service_without_a_rollback_command_is_left_to_a_person() -> None:
    """What the settings do not name is not guessed."""
    cannot = Capabilities(releases=("1.0.0",), cannot_roll_back="no roll_back_command")

    assert evaluate(roll_back(), inputs(found=(BAD,), capabilities=cannot)).code is GuardCode.NOT_AVAILABLE


def test_worse_means_halt_and_not_a_deeper_rollback() -> None:
    """Rule 7; Knight Capital, 2012: the rollback spread the fault."""
    before = done_before(60, Outcome.RECOVERED, Action.ROLL_BACK_RELEASE)

    assert evaluate(roll_back(), inputs(before, found=(BAD,))).code is GuardCode.ROLLED_BACK_BEFORE


def test_two_sick_gateways_forbid_a_rollback() -> None:
    """Rule 6: two at once point to a shared cause."""
    sick = inputs(found=(BAD, unreachable("XNAS", "XCME")))

    assert evaluate(roll_back(), sick).code is GuardCode.SHARED_CAUSE


@pytest.mark.parametrize("probes", [(), (gateway("XNAS", Seen.FAILED),), (gateway("XNAS", Seen.BLIND),)])
def test_a_rollback_needs_every_gateway_healthy_by_its_own_answer(probes: tuple[object, ...]) -> None:
    """Errors that may be a venue's are no reason to change our code."""
    assert (
        evaluate(roll_back(), inputs(found=(BAD,), seen=seen(gateways=probes))).code is GuardCode.GATEWAYS_NOT_HEALTHY
    )


@pytest.mark.parametrize("to", [None, "0.9.0"])
def test_nobody_rolls_back_to_a_release_that_was_never_seen_healthy(to: str | None) -> None:
    """Rule 7: a release is good because it was seen so, not because it is older."""
    assert evaluate(roll_back(to), inputs(found=(BAD,))).code is GuardCode.NO_GOOD_RELEASE


def test_a_release_whose_looks_were_all_bad_is_no_target() -> None:
    """It ran, and it was ill."""
    ill = inputs(found=(BAD,), history=(past(2, status=Status.DEGRADED),))

    assert evaluate(roll_back(), ill).code is GuardCode.NO_GOOD_RELEASE


def test_a_release_that_was_cleaned_away_is_no_target() -> None:
    """Nothing can be started that is not there."""
    assert (
        evaluate(roll_back(), inputs(found=(BAD,), capabilities=Capabilities(releases=("1.1.0",)))).code
        is GuardCode.NO_GOOD_RELEASE
    )


def test_a_switch_that_stood_otherwise_then_forbids_the_rollback() -> None:
    """Knight Capital, 2012: an old release met a flag that meant something else to it."""
    then = past(2, features={"order_throttle": False})
    now = seen(routing=routing(features={"order_throttle": True}))

    assert evaluate(roll_back(), inputs(found=(BAD,), history=(then,), seen=now)).code is GuardCode.FEATURES_DIFFER


def test_a_switch_that_the_old_release_does_not_know_does_not_forbid_it() -> None:
    """What came with the bad release goes with it."""
    then = past(2, features={})
    now = seen(routing=routing(features={"new_smart_router": True}))

    assert evaluate(roll_back(), inputs(found=(BAD,), history=(then,), seen=now)).allowed


def test_routes_that_lay_otherwise_then_forbid_the_rollback() -> None:
    """The old release was healthy with other lines than today's."""
    then = past(2, routes={AssetClass.EQUITY: "XNYS"})

    assert evaluate(roll_back(), inputs(found=(BAD,), history=(then,))).code is GuardCode.ROUTING_DIFFERS


@pytest.mark.parametrize("safety", [OrderSafety.UNSAFE, OrderSafety.BLIND])
def test_unproven_orders_stop_a_rollback(safety: OrderSafety) -> None:
    """Rule 5: the process that knows of them would be stopped."""
    verdict = evaluate(roll_back(), inputs(found=(BAD,), orders=orders(safety, "A-1")))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN


def test_a_release_that_crashes_cannot_answer_for_its_orders_and_is_rolled_back() -> None:
    """Rule 5: the journal keeps them, and the release that comes back asks for them."""
    crashes = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.CRASHES,))
    back = planned(Action.ROLL_BACK_RELEASE, crashes, Target(release="1.0.0"))

    assert evaluate(back, inputs(found=(crashes,), orders=orders(OrderSafety.BLIND))).allowed


def test_what_a_service_that_is_down_does_not_tell_is_what_the_run_before_saw() -> None:
    """Nobody's answer is not the same switches, nor the same routes."""
    silent = seen(routing=routing(seen=Seen.FAILED, routes=(), features={}))
    then = past(2, features={"order_throttle": False})
    now = past(1, release="1.1.0", status=Status.DEGRADED, features={"order_throttle": True})
    elsewhere = past(1, release="1.1.0", status=Status.DEGRADED, routes={AssetClass.EQUITY: "XNYS"})

    switched = evaluate(roll_back(), inputs(found=(BAD,), history=(then, now), seen=silent))
    routed = evaluate(roll_back(), inputs(found=(BAD,), history=(past(2), elsewhere), seen=silent))

    assert (switched.code, routed.code) == (GuardCode.FEATURES_DIFFER, GuardCode.ROUTING_DIFFERS)


def code_of(to: str = "1.0.0", **changes: object) -> GuardCode:
    """What the guards say of a rollback from 1.1.0 under these inputs."""
    return evaluate(roll_back(to), inputs(found=(BAD,), **changes)).code  # type: ignore[arg-type]


BAD_LATER = (past(90), *(past(n, status=Status.CRITICAL, troubles=("bad_release",)) for n in (80, 70, 60)))


@pytest.mark.parametrize(
    ("history", "code"),
    [
        (BAD_LATER, GuardCode.NO_GOOD_RELEASE),
        ((past(9), past(8), past(7, status=Status.DEGRADED)), GuardCode.NO_GOOD_RELEASE),
        ((past(9, status=Status.DEGRADED), past(8), past(7)), GuardCode.NO_GOOD_RELEASE),
        ((past(9, status=Status.DEGRADED), past(8), past(7), past(6)), GuardCode.ALLOWED),
        ((past(9), past(8, status=Status.BLIND)), GuardCode.ALLOWED),
        ((past(9, status=Status.BLIND),), GuardCode.NO_GOOD_RELEASE),
        ((past(9), past(8, release="1.1.0", status=Status.CRITICAL)), GuardCode.ALLOWED),
    ],
)
def test_the_last_observations_of_a_release_decide_and_not_one_good_one(
    history: tuple[PastObservation, ...], code: GuardCode
) -> None:
    """Who is paged must not find that the way back led to a release that had failed for forty minutes."""
    assert code_of(history=history) is code


def test_a_release_that_its_own_record_does_not_call_good_is_no_target() -> None:
    """A drill release, or one that was rolled away from, may look healthy for a while."""
    setup = Capabilities(releases=("1.0.0", "1.1.0"), not_known_good={"1.0.0": "it was rolled away from"})
    verdict = evaluate(roll_back(), inputs(found=(BAD,), capabilities=setup))

    assert verdict.code is GuardCode.NO_GOOD_RELEASE
    assert "it was rolled away from" in verdict.detail


TWO_GOOD = (*(past(n, release="1.0.0") for n in (80, 79, 78)), *(past(n, release="1.1.0") for n in (50, 49, 48)))
NEWEST = frozenset({"1.2.0"})


def target_of(history: tuple[PastObservation, ...], **capabilities: object) -> str | None:
    """The release that a rollback from 1.2.0 would go to."""
    known = Capabilities.model_validate({"releases": ("1.0.0", "1.1.0", "1.2.0"), **capabilities})
    return last_good_release(inputs(history=history, capabilities=known), NEWEST)


def test_the_way_back_leads_past_releases_that_failed_are_gone_or_are_not_on_record_as_good() -> None:
    """Of several that are known to be good the one that ran last is nearest to what the desk knows."""
    failed = tuple(past(n, release="1.1.0", status=Status.CRITICAL) for n in (40, 39, 38))

    assert target_of(TWO_GOOD) == "1.1.0"
    assert target_of((*TWO_GOOD, *failed)) == "1.0.0"
    assert target_of(TWO_GOOD, releases=("1.0.0", "1.2.0")) == "1.0.0"
    assert target_of(TWO_GOOD, not_known_good={"1.1.0": "a drill"}) == "1.0.0"
    assert target_of(TWO_GOOD, not_known_good={"1.1.0": "a drill", "1.0.0": "a drill"}) == "1.1.0"
    assert target_of((past(3, release="1.2.0"),)) is None


def table(in_force: str | None = "a", on_disk: str | None = "a") -> Observation:
    """What the service says of its table, by one letter each."""
    hashes = {"table_hash": in_force and in_force * 64, "file_hash": on_disk and on_disk * 64}
    return seen(routing=routing(**hashes))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seen": table("b", "b")}, GuardCode.ROUTING_DIFFERS),
        ({"seen": table("a", "b")}, GuardCode.ROUTING_DIFFERS),
        ({"seen": table("b", "a")}, GuardCode.ROUTING_DIFFERS),
        ({"seen": table(None, None)}, GuardCode.ROUTING_DIFFERS),
        ({"seen": seen(routing=None)}, GuardCode.ROUTING_DIFFERS),
        ({"seen": table("a", None)}, GuardCode.ALLOWED),
        ({"seen": table(None, "a")}, GuardCode.ALLOWED),
        ({"history": (past(2, table_hash=None),)}, GuardCode.ROUTING_DIFFERS),
        ({"history": (past(3, table_hash="b" * 64), past(2))}, GuardCode.ALLOWED),
        ({"history": (past(3), past(2, table_hash="b" * 64))}, GuardCode.ROUTING_DIFFERS),
    ],
)
def test_a_table_that_is_not_the_very_one_the_target_was_healthy_with_stops_the_rollback(
    changes: dict[str, object], code: GuardCode
) -> None:
    """A cap or a price band that differs shows in no gateway name; what nobody knows is not the same."""
    assert code_of(**changes) is code


@pytest.mark.parametrize(("on_disk", "code"), [("a", GuardCode.ALLOWED), ("b", GuardCode.ROUTING_DIFFERS)])
def test_the_table_that_lies_on_disk_counts_also_where_the_service_is_down(on_disk: str, code: GuardCode) -> None:
    """The next start reads that file, and nobody is there to tell its hash."""
    setup = Capabilities(releases=("1.0.0", "1.1.0"), live_table_hash=on_disk * 64)
    silent = seen(routing=routing(seen=Seen.FAILED, routes=(), table_hash=None, file_hash=None))

    assert code_of(seen=silent, capabilities=setup) is code
    assert code_of(capabilities=setup) is code


def test_a_person_may_override_a_table_that_differs_by_its_name() -> None:
    """What differs is shown first, and then it is a person's decision."""
    asked = Request(by="kim", reason="bad release", overrides=(GuardCode.ROUTING_DIFFERS,))
    by_hand = roll_back().model_copy(update={"finding": None})
    verdict = evaluate(by_hand, inputs(found=(BAD,), seen=table("b", "b"), asked=asked))

    assert verdict.passed_by == (GuardCode.ROUTING_DIFFERS,)
    assert "bbbbbbbbbbbb in force" in verdict.detail


@pytest.mark.parametrize(("hours", "code"), [(23.9, GuardCode.ROLLED_BACK_BEFORE), (24.1, GuardCode.ALLOWED)])
def test_one_rollback_a_day(hours: float, code: GuardCode) -> None:
    """A second one within a day would go deeper into the dark."""
    before = done_before(hours * 60, Outcome.RECOVERED, Action.ROLL_BACK_RELEASE)

    assert evaluate(roll_back(), inputs(before, found=(BAD,))).code is code


def test_a_refused_rollback_says_what_there_is_to_go_back_to_and_what_nobody_knows() -> None:
    """The person who goes on by hand begins with these words."""
    none = evaluate(roll_back(None), inputs(found=(BAD,), capabilities=Capabilities()))
    other = evaluate(roll_back("0.9.0"), inputs(found=(BAD,)))
    then, now = (
        evaluate(roll_back(), inputs(found=(BAD,), **changes))
        for changes in ({"history": (past(2, table_hash=None),)}, {"seen": table(None, None)})
    )

    assert none.detail.endswith("found none; kept: none")
    assert other.detail.endswith("found 0.9.0; kept: 1.0.0, 1.1.0")
    assert then.detail.endswith("no record of the table that 1.0.0 ran with")
    assert now.detail.endswith("no record of the table in force")


def test_only_the_targets_own_healthy_time_says_how_the_switches_stood() -> None:
    """The bad release was healthy with today's switch for a minute; the one to go back to never ran with it."""
    then = past(2, features={"order_throttle": False})
    between = past(1, release="1.1.0", features={"order_throttle": True})
    now = seen(routing=routing(features={"order_throttle": True}))

    assert code_of(history=(then, between), seen=now) is GuardCode.FEATURES_DIFFER
