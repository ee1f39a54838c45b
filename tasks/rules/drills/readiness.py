"""Say whether a stack is as it has to be before a drill, and again after it."""

from collections.abc import Iterable

from tasks.model.evidence.evidence import Context
from tasks.model.incidents.modes import Mode
from tasks.model.probes.probes import Observation, RoutingProbe, Seen
from tasks.rules.incidents.action_history import ActionHistory


def not_ready(context: Context, history: ActionHistory, seen: Observation) -> tuple[str, ...]:
    """Say what stands in the way of a drill; nothing where the stack is healthy and the automation may act.

    A drill on a stack that is unhealthy, or that a person works on, would measure that, and undo it.
    """
    return (
        *_of_the_ledger(context),
        *(f"the end of {one.action} is not known" for one in history.half_done),
        *([] if context.mode is Mode.ACT else [f"mode is {context.mode}"]),
        *([f"maintenance by {context.maintenance.by}"] if context.maintenance else []),
        *not_well(seen),
    )


def not_well(seen: Observation) -> tuple[str, ...]:
    """Say what is not healthy in one observation: health, an order, a gateway, a class that is paused or re-routed."""
    orders = (f"order {one.asset_class} {one.outcome}" for one in seen.orders if not one.outcome.delivered)
    gateways = (f"gateway {one.gateway} {one.detail}" for one in seen.gateways if one.seen is not Seen.PASSED)
    return (
        *([] if seen.health.seen is Seen.PASSED else [f"health {seen.health.detail}"]),
        *orders,
        *gateways,
        *(_of_the_routing(seen.routing) if seen.routing else ["routing was not read"]),
    )


def _of_the_ledger(context: Context) -> Iterable[str]:
    if context.ledger_detail:
        yield context.ledger_detail
    for incident in context.open_incidents:
        yield f"incident {incident.incident_id} is open"


def _of_the_routing(routing: RoutingProbe) -> Iterable[str]:
    if routing.seen is not Seen.PASSED:
        yield f"routing {routing.detail}"
    for route in routing.routes:
        if route.trading_state not in {"active", None}:
            yield f"{route.asset_class} is {route.trading_state}"
        if route.gateway != route.table_gateway:
            yield f"{route.asset_class} goes to {route.gateway}"
