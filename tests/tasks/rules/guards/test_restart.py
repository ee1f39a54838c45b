"""The guards of a restart: each test goes red when its guard is forced open."""

from tasks.model.diagnosis import Cause, Kind
from tasks.model.order_states import OrderSafety
from tasks.model.setup import Setup
from tasks.model.verdicts import GuardCode
from tasks.rules.guards.table import weigh
from tests.fakes.cases import done_before, facts, finding, orders, planned, unreachable


def test_two_sick_gateways_forbid_every_restart() -> None:
    """Rule 6: two at once point to a shared cause, which a restart does not mend."""
    sick = facts(found=(finding(), unreachable("XNAS", "XCME")))

    assert weigh(planned(), sick).code is GuardCode.SHARED_CAUSE


def test_another_sick_service_of_the_host_forbids_every_restart() -> None:
    """Rule 6: two services at once point to a shared cause; restarting one after the other helps none."""
    verdict = weigh(planned(), facts(sick_neighbors=("orders-b", "orders-c")))

    assert verdict.code is GuardCode.SHARED_CAUSE
    assert "orders-b, orders-c" in verdict.detail


def test_one_sick_gateway_does_not_forbid_the_restart_of_a_hung_service() -> None:
    """A hung service beside one dead gateway is restarted once, then degraded."""
    assert weigh(planned(), facts(found=(finding(), unreachable("XNAS")))).allowed


def test_a_third_restart_in_the_window_goes_to_a_person() -> None:
    """Rule 4: a service that needs a third restart is not helped by one."""
    assert weigh(planned(), facts(done_before(2), done_before(9))).code is GuardCode.RESTART_BUDGET_SPENT


def test_restarts_outside_the_window_do_not_count_against_it() -> None:
    """The window slides: two restarts an hour ago leave the budget whole."""
    assert weigh(planned(), facts(done_before(60), done_before(61))).allowed


def test_a_fifth_restart_in_a_day_goes_to_a_person() -> None:
    """Rule 4: slow crash loops are caught by the budget of the day."""
    before = (done_before(120 * n) for n in (1, 2, 3, 4))

    assert weigh(planned(), facts(*before)).code is GuardCode.RESTART_BUDGET_SPENT


def test_a_service_without_a_start_command_is_left_to_a_person() -> None:
    """What cannot be started again is not stopped."""
    cannot = Setup(cannot_restart="no start_command")

    assert weigh(planned(), facts(setup=cannot)).code is GuardCode.NOT_AVAILABLE


def test_unknown_orders_stop_a_restart() -> None:
    """Rule 5: an order that was sent and never answered goes to a person, with its id."""
    verdict = weigh(planned(), facts(orders=orders(OrderSafety.UNSAFE, "A-1", "A-2")))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN
    assert "A-1, A-2" in verdict.detail


def test_a_hung_service_cannot_answer_for_its_orders_and_is_restarted() -> None:
    """Rule 5: they are asked for afterwards, and never sent again."""
    hanging = orders(OrderSafety.UNSAFE, "A-1", status="in_flight")

    assert weigh(planned(), facts(orders=orders(OrderSafety.BLIND))).allowed
    assert weigh(planned(), facts(orders=hanging)).allowed


def test_a_service_that_answers_and_hides_its_orders_is_not_restarted() -> None:
    """Rule 2: blind never acts, where the service could have said."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED)

    verdict = weigh(planned(found=leaking), facts(orders=orders(OrderSafety.BLIND)))

    assert verdict.code is GuardCode.ORDERS_NOT_PROVEN


def test_a_service_that_can_take_no_connection_cannot_answer_for_its_orders() -> None:
    """Out of descriptors it is as silent as one that hangs; orders that it does call unknown stop the restart."""
    spent = planned(found=finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.DESCRIPTORS,)))

    assert weigh(spent, facts(orders=orders(OrderSafety.BLIND))).allowed
    assert not weigh(spent, facts(orders=orders(OrderSafety.UNSAFE, "A-1"))).allowed
