"""The guards of a restart, and of whatever else stops the process."""

from datetime import timedelta

from tasks.model.incidents.incident import Action
from tasks.model.probes.order_states import OrderSafety, OrderStates
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.formats.time import duration_text
from tasks.rules.remediation.guards.every_action import DAY
from tasks.rules.remediation.guards.guard_inputs import GuardInputs, hang_with_it

NAMED_COUNT = 10


def can_restart(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Say whether the supervisor can restart this service at all, and whether its last start did not just fail.

    Another release may start where this one does not; the same one is not started into the same failure again.
    """
    instance = planned.target.instance
    if inputs.capabilities.instances and instance not in inputs.capabilities.instances:
        named = ", ".join(inputs.capabilities.instances)
        detail = f"expected one instance of {named}, found {instance or 'none'}; each is restarted by itself"
        return Verdict.no(GuardCode.BAD_TARGET, detail)
    if why := inputs.capabilities.cannot_restart_instance.get(instance or ""):
        return Verdict.no(GuardCode.NOT_AVAILABLE, why)
    if inputs.capabilities.cannot_restart:
        return Verdict.no(GuardCode.NOT_AVAILABLE, inputs.capabilities.cannot_restart)
    if instance is not None:
        return Verdict.yes()
    failure = inputs.evidence.context.start_failure
    if failure and planned.action is Action.RESTART_SERVICE and inputs.asked is None:
        detail = f"expected a service that starts, found: {failure}; fix that, then start it"
        return Verdict.no(GuardCode.REMEDIATION_INEFFECTIVE, detail)
    return Verdict.yes()


def no_shared_cause(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Restart nothing when two or more gateways are unhealthy: they point to a shared cause (safety rule 6)."""
    unhealthy = sorted({gateway for finding in inputs.diagnosis.findings for gateway in finding.gateways})
    if len(unhealthy) >= 2:
        named = ", ".join(unhealthy)
        detail = f"expected at most 1 unhealthy gateway, found {len(unhealthy)}: {named}; look for their shared cause"
        return Verdict.no(GuardCode.SHARED_CAUSE, detail)
    return Verdict.yes()


def neighbors_healthy(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Restart nothing while other services of the host are unhealthy: they point to a shared cause (safety rule 6)."""
    unhealthy = inputs.unhealthy_neighbors
    if unhealthy:
        more = f" and {len(unhealthy) - NAMED_COUNT} more" if len(unhealthy) > NAMED_COUNT else ""
        named = ", ".join(unhealthy[:NAMED_COUNT])
        detail = (
            f"expected no other unhealthy service on this host, found {len(unhealthy)}: {named}{more}; look for their "
            "shared cause"
        )
        return Verdict.no(GuardCode.SHARED_CAUSE, detail)
    return Verdict.yes()


def restart_budget(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Say whether one more restart is within the budget, counted from the ledger (safety rule 4)."""
    limits, history = inputs.capabilities.restart, inputs.history
    in_window = restarts_in_window(inputs)
    in_day = history.count_since(Action.RESTART_SERVICE, inputs.now - DAY)
    if in_window >= limits.per_window_count or in_day >= limits.per_day_count:
        return Verdict.no(
            GuardCode.RESTART_BUDGET_SPENT,
            f"{in_window} of {limits.per_window_count} restarts in {duration_text(limits.window_s)} are spent, "
            f"{in_day} of {limits.per_day_count} in a day, until a person re-arms it",
        )
    left = min(limits.per_window_count - in_window, limits.per_day_count - in_day)
    return Verdict.yes(f"RESTARTS_LEFT: left={left}")


def restarts_in_window(inputs: GuardInputs) -> int:
    window = timedelta(seconds=inputs.capabilities.restart.window_s)
    return inputs.history.count_since(Action.RESTART_SERVICE, inputs.now - window)


def orders_proven(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Stop where orders are out whose outcome is not proven (safety rule 5).

    Steps: a busy service always has orders in flight for a moment, and those prove themselves. A service that hangs or
    is down cannot say what it holds, and orders in flight in it hang with it; then the restart is what lets them be
    asked for, and it sends nothing again. Orders that it does call unknown stop even that.
    """
    orders = inputs.orders
    verdict, told = (orders.verdict, _told(orders)) if orders else (OrderSafety.BLIND, "nobody asked for the orders")
    if verdict in {OrderSafety.SAFE, OrderSafety.WAIT}:
        return Verdict.yes(f"orders={verdict}")
    if inputs.is_for_a_dead_end(planned) and hang_with_it(orders):
        return Verdict.yes(f"{told}; their outcome is asked for afterwards, and none is sent again")
    return Verdict.no(GuardCode.ORDERS_NOT_PROVEN, f"orders={verdict} {told}; ask the gateway for them yourself")


def _told(orders: OrderStates) -> str:
    more = f" and {orders.unproven_count - NAMED_COUNT} more" if orders.unproven_count > NAMED_COUNT else ""
    named = ", ".join(orders.ids[:NAMED_COUNT])
    return f"unproven={orders.unproven_count}: {named}{more}" if orders.ids else orders.detail
