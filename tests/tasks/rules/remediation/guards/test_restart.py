"""The guards of a restart: each test goes red when its guard is forced open."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.order_states import OrderSafety
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import PlannedAction, Request
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.restart import can_restart, restart_budget
from tests.fakes.incident.cases import done_before, finding, inputs, orders, planned, unreachable

ASKED = Request(by="kim", reason="venue called")


def test_two_sick_gateways_forbid_every_restart() -> None:
    """Rule 6: two at once point to a shared cause, which a restart does not mend."""
    sick = inputs(found=(finding(), unreachable("XNAS", "XCME")))

    assert evaluate(planned(), sick).code is GuardCode.SHARED_CAUSE


def test_another_sick_service_of_the_host_forbids_every_restart() -> None:
    """Rule 6: two services at once point to a shared cause; restarting one after the other helps none."""
    verdict = evaluate(planned(), inputs(unhealthy_neighbors=("orders-b", "orders-c")))

    assert verdict.code is GuardCode.SHARED_CAUSE
    assert "orders-b, orders-c" in verdict.detail


def test_one_sick_gateway_does_not_forbid_the_restart_of_a_hung_service() -> None:
    """A hung service beside one dead gateway is restarted once, then degraded."""
    assert evaluate(planned(), inputs(found=(finding(), unreachable("XNAS")))).allowed


def test_a_third_restart_in_the_window_goes_to_a_person() -> None:
    """Rule 4: a service that needs a third restart is not helped by one."""
    assert evaluate(planned(), inputs(done_before(2), done_before(9))).code is GuardCode.RESTART_BUDGET_SPENT


def test_restarts_outside_the_window_do_not_count_against_it() -> None:
    """The window slides: two restarts an hour ago leave the budget whole."""
    assert evaluate(planned(), inputs(done_before(60), done_before(61))).allowed


def test_a_fifth_restart_in_a_day_goes_to_a_person() -> None:
    """Rule 4: slow crash loops are caught by the budget of the day."""
    before = (done_before(120 * n) for n in (1, 2, 3, 4))

    assert evaluate(planned(), inputs(*before)).code is GuardCode.RESTART_BUDGET_SPENT


def test_a_service_without_a_start_command_is_left_to_a_person() -> None:
    """What cannot be started again is not stopped."""
    cannot = Capabilities(cannot_restart="no start_command")

    assert evaluate(planned(), inputs(capabilities=cannot)).code is GuardCode.NOT_AVAILABLE


def test_unknown_orders_stop_a_restart() -> None:
    """Rule 5: an order that was sent and never answered goes to a person, with its id."""
    verdict = evaluate(planned(), inputs(orders=orders(OrderSafety.UNSAFE, "A-1", "A-2")))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN
    assert "A-1, A-2" in verdict.detail


def test_a_hung_service_cannot_answer_for_its_orders_and_is_restarted() -> None:
    """Rule 5: they are asked for afterwards, and never sent again."""
    hanging = orders(OrderSafety.UNSAFE, "A-1", status="in_flight")

    assert evaluate(planned(), inputs(orders=orders(OrderSafety.BLIND))).allowed
    assert evaluate(planned(), inputs(orders=hanging)).allowed


def test_a_service_that_answers_and_hides_its_orders_is_not_restarted() -> None:
    """Rule 2: blind never acts, where the service could have said."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED)

    verdict = evaluate(planned(found=leaking), inputs(orders=orders(OrderSafety.BLIND)))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN


def test_a_service_that_can_take_no_connection_cannot_answer_for_its_orders() -> None:
    """Out of descriptors it is as silent as one that hangs; orders that it does call unknown stop the restart."""
    spent = planned(found=finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.DESCRIPTORS,)))

    assert evaluate(spent, inputs(orders=orders(OrderSafety.BLIND))).allowed
    assert not evaluate(spent, inputs(orders=orders(OrderSafety.UNSAFE, "A-1"))).allowed


def by_hand() -> PlannedAction:
    """A person's restart."""
    return planned().model_copy(update={"finding": None})


def test_a_hang_beside_another_trouble_still_keeps_the_service_from_answering_for_its_orders() -> None:
    """A person's order names no cause: one dead end among what was found is enough."""
    both = inputs(found=(finding(Cause.UNKNOWN), finding()), orders=orders(OrderSafety.BLIND), asked=ASKED)

    assert evaluate(by_hand(), both).allowed


@pytest.mark.parametrize("verdict", [OrderSafety.SAFE, OrderSafety.WAIT])
def test_orders_that_prove_themselves_within_a_moment_stop_nothing(verdict: OrderSafety) -> None:
    """A busy service always has a few in flight, also one that answers for them."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.MEMORY,))

    assert evaluate(planned(found=leaking), inputs(orders=orders(verdict))).allowed


def test_a_service_that_just_failed_to_start_is_not_started_into_the_same_failure_by_itself() -> None:
    """Another release may start where this one does not, and a person may have put it right."""
    failed = {"start_failure": "its table has no equity"}
    verdict = evaluate(planned(), inputs(**failed))

    assert verdict.code is GuardCode.REMEDIATION_INEFFECTIVE
    assert "its table has no equity" in verdict.detail
    assert can_restart(planned(Action.ROLL_BACK_RELEASE), inputs(**failed)).allowed
    assert evaluate(by_hand(), inputs(**failed, asked=ASKED)).allowed


@pytest.mark.parametrize(
    ("count", "told"), [(1, "found 1: s0"), (10, "s8, s9"), (11, "s9 and 1 more"), (13, "s9 and 3 more")]
)
def test_a_refusal_names_ten_and_counts_the_rest(count: int, told: str) -> None:
    """A page with three hundred order ids is read by nobody, and one that hides how many there are misleads."""
    names = tuple(f"s{number}" for number in range(count))
    sick = evaluate(planned(), inputs(unhealthy_neighbors=names)).detail
    unproven = evaluate(planned(), inputs(orders=orders(OrderSafety.UNSAFE, *names))).detail

    assert sick.endswith(f"{told}; look for their shared cause")
    assert f"{told.removeprefix('found 1: ')}; ask the gateway" in unproven


@pytest.mark.parametrize(
    ("minutes_ago", "left"),
    [((), 2), ((5,), 1), ((60, 120), 2), ((60, 120, 180), 1), ((5, 120, 180), 1)],
)
def test_what_is_left_of_the_budget_is_the_lesser_of_the_window_and_the_day(
    minutes_ago: tuple[float, ...], left: int
) -> None:
    """Who reads the plan at night counts on that number."""
    before = (done_before(n, Outcome.RECOVERED) for n in minutes_ago)

    assert restart_budget(planned(), inputs(*before)).detail == f"RESTARTS_LEFT: left={left}"
