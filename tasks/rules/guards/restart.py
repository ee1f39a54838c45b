"""The guards of a restart, and of whatever else stops the process."""

from datetime import timedelta

from tasks.model.incident import Action
from tasks.model.order_states import OrderSafety, OrderStates
from tasks.model.plan import PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.durations import duration_text
from tasks.rules.guards.common import DAY
from tasks.rules.guards.facts import Facts, hang_with_it

NAMED_COUNT = 10


def can_restart(planned: PlannedAction, facts: Facts) -> Verdict:
    """Say whether the supervisor can restart this service at all, and whether its last start did not just fail.

    Another release may start where this one does not; the same one is not started into the same failure again.
    """
    if facts.setup.cannot_restart:
        return Verdict.no(GuardCode.NOT_AVAILABLE, facts.setup.cannot_restart)
    failure = facts.evidence.context.start_failure
    if failure and planned.action is Action.RESTART_SERVICE and facts.asked is None:
        detail = f"expected a service that starts, was: {failure}; put that right, then start it"
        return Verdict.no(GuardCode.REMEDIATION_INEFFECTIVE, detail)
    return Verdict.yes()


def no_shared_cause(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Restart nothing when two or more gateways are sick: they point to a shared cause (safety rule 6)."""
    sick = sorted({gateway for finding in facts.diagnosis.findings for gateway in finding.gateways})
    if len(sick) >= 2:
        return Verdict.no(GuardCode.SHARED_CAUSE, f"expected at most 1 sick gateway was {len(sick)}: {', '.join(sick)}")
    return Verdict.yes()


def neighbors_well(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Restart nothing while other services of the host are sick too: they point to a shared cause (safety rule 6)."""
    sick = facts.sick_neighbors
    if sick:
        more = f" and {len(sick) - NAMED_COUNT} more" if len(sick) > NAMED_COUNT else ""
        named = ", ".join(sick[:NAMED_COUNT])
        return Verdict.no(GuardCode.SHARED_CAUSE, f"expected no other sick service was {len(sick)}: {named}{more}")
    return Verdict.yes()


def restart_budget(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Say whether one more restart is within the budget, counted from the ledger (safety rule 4)."""
    limits, history = facts.setup.restart, facts.history
    in_window = restarts_in_window(facts)
    in_day = history.count_since(Action.RESTART_SERVICE, facts.now - DAY)
    if in_window >= limits.per_window_count or in_day >= limits.per_day_count:
        return Verdict.no(
            GuardCode.RESTART_BUDGET_SPENT,
            f"{in_window} of {limits.per_window_count} restarts in {duration_text(limits.window_s)} are spent, "
            f"{in_day} of {limits.per_day_count} in a day, until a person re-arms it",
        )
    left = min(limits.per_window_count - in_window, limits.per_day_count - in_day)
    return Verdict.yes(f"RESTARTS_LEFT: left={left}")


def restarts_in_window(facts: Facts) -> int:
    """Count the restarts of the window, by the ledger."""
    window = timedelta(seconds=facts.setup.restart.window_s)
    return facts.history.count_since(Action.RESTART_SERVICE, facts.now - window)


def orders_proven(planned: PlannedAction, facts: Facts) -> Verdict:
    """Stop where orders are out whose outcome is not proven (safety rule 5).

    Steps: a busy service always has orders in flight for a moment, and those prove themselves. A service that hangs or
    is down cannot say what it holds, and orders in flight in it hang with it; then the restart is what lets them be
    asked for, and it sends nothing again. Orders that it does call unknown stop even that.
    """
    orders = facts.orders
    verdict, told = (orders.verdict, _told(orders)) if orders else (OrderSafety.BLIND, "nobody asked for the orders")
    if verdict in {OrderSafety.SAFE, OrderSafety.WAIT}:
        return Verdict.yes(f"orders={verdict}")
    if facts.is_for_a_dead_end(planned) and hang_with_it(orders):
        return Verdict.yes(f"{told}; asked for afterwards, never sent again")
    return Verdict.no(GuardCode.ORDERS_NOT_PROVEN, f"orders={verdict} {told}; ask the gateway for them by hand")


def _told(orders: OrderStates) -> str:
    more = f" and {orders.unproven_count - NAMED_COUNT} more" if orders.unproven_count > NAMED_COUNT else ""
    named = ", ".join(orders.ids[:NAMED_COUNT])
    return f"unproven={orders.unproven_count}: {named}{more}" if orders.ids else orders.detail
