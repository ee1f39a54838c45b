"""Put the last good routing table back: by its hash, or route by route."""

from tasks.clients.service import control
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import HealthProbe, RoutingProbe
from tasks.model.remediation.verdicts import GuardCode
from tasks.work.remediation.control_effect import Shows, changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def restored(context: ActionContext) -> ActionOutcome:
    """Restore the table, and see that it serves and lies on disk."""
    done = await _by_hash(context)
    if done.outcome is Outcome.REFUSED and context.planned.target.routes:
        return await _route_by_route(context)
    return done


async def _by_hash(context: ActionContext) -> ActionOutcome:
    table_hash = context.planned.target.table_hash
    if table_hash is None:
        detail = "expected a table that was seen to serve, found none; correct the table yourself"
        return ActionOutcome(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NO_GOOD_TABLE)

    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        if routing.table_hash is None:
            return None
        return routing.table_hash == table_hash and not routing.file_error and routing.file_hash in {None, table_hash}

    change = control.restore_table(context.service, table_hash, context.why)
    return await changed(context.service, change, shows, f"table {table_hash[:12]}")


async def _route_by_route(context: ActionContext) -> ActionOutcome:
    """Set each route that is known to have been good; the first that cannot be set ends it."""
    routes = context.planned.target.routes
    for name, gateway in routes.items():
        change = control.set_route(context.service, name, gateway, context.why)
        done = await changed(context.service, change, _route_shows(name, gateway), f"{name} to {gateway}")
        if done.outcome is not Outcome.DONE:
            return done
    routed = ", ".join(f"{name} to {gateway}" for name, gateway in routes.items())
    return ActionOutcome(outcome=Outcome.DONE, detail=f"routes set: {routed}; the table on disk is as it was")


def _route_shows(name: AssetClass, gateway: str) -> Shows:
    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None else route.gateway == gateway

    return shows
