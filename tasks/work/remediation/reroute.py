"""Re-route the new orders of one class to an alternate; none that was sent is sent again."""

from tasks.clients.service import control
from tasks.clients.service.http import http_client
from tasks.clients.service.synthetic_orders import order_probe
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlOutcome, RouteScope
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import HealthProbe, OrderProbe, RoutingProbe
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.reroute import proven_fill
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def rerouted(context: ActionContext) -> ActionOutcome:
    """Try the alternate with a test order, then send all new orders there.

    What another class filled there just now stands in for a trial that the service does not know, and
    never for one that failed. A trial that may still be in force is *unknown*: its fills would hide the trouble.
    Steps: the way back to the table's own gateway is to follow the table again, so that its next change counts; a
    described control knows no table, and is sent the gateway.
    """
    name, to = context.planned.target.asset_class, context.planned.target.gateway
    if name is None or to is None:
        raise ValueError("a re-route names an asset class and a gateway")
    trial = await _tried(context, name, to)
    untried = trial.code is GuardCode.NOT_AVAILABLE
    if trial.outcome is not Outcome.DONE and not (untried and proven_fill(context.inputs.evidence, to)):
        return trial.model_copy(update={"code": GuardCode.ALTERNATE_NOT_HEALTHY})

    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None else route.gateway == to

    follows = context.service.control is None and to == _of_table(context, name)
    set_to = None if follows else to
    change = control.set_route(context.service, name, set_to, context.why)
    return await changed(context.service, change, shows, f"{name} to {to}")


def _of_table(context: ActionContext, name: AssetClass) -> str | None:
    routing = context.inputs.latest.routing
    route = routing.route(name) if routing else None
    return route.table_gateway if route else None


def _gateway_now(context: ActionContext, name: AssetClass) -> str | None:
    routing = context.inputs.latest.routing
    route = routing.route(name) if routing else None
    return route.gateway if route else None


async def _tried(context: ActionContext, name: AssetClass, to: str) -> ActionOutcome:
    """Send one test order through the alternate while real orders stay where they are."""
    small = await control.set_route(context.service, name, to, context.why, scope=RouteScope.SYNTHETIC)
    match small.outcome:
        case ControlOutcome.REFUSED | ControlOutcome.NOT_AVAILABLE:
            detail = f"{to} could not be tried with a test order first: {small.detail}"
            return ActionOutcome(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NOT_AVAILABLE)
        case ControlOutcome.UNKNOWN:
            return await _taken_back(context, name, f"{to} was to be tried with a test order first: {small.detail}")
        case _:
            order = await _test_order(context, name)
    if order.outcome.delivered and order.gateway == to:
        return ActionOutcome(outcome=Outcome.DONE, detail=f"a test order was {order.outcome} at {to}")
    where = order.gateway or "no gateway"
    return await _taken_back(context, name, f"a test order at {to} was {order.outcome} at {where}: {order.detail}")


async def _taken_back(context: ActionContext, name: AssetClass, fault: str) -> ActionOutcome:
    """Send test orders where real ones go again."""
    back_to = None if context.service.control is None else _gateway_now(context, name)
    undone = await control.set_route(context.service, name, back_to, context.why, scope=RouteScope.SYNTHETIC)
    if undone.is_done:
        return ActionOutcome(outcome=Outcome.REFUSED, detail=fault)
    detail = f"{fault}; taking it back: {undone.outcome}, test orders of {name} may go elsewhere than real ones"
    return ActionOutcome(outcome=Outcome.UNKNOWN, detail=detail)


async def _test_order(context: ActionContext, name: AssetClass) -> OrderProbe:
    async with http_client(context.service.http, context.service.look.connect_timeout_s) as client:
        return await order_probe(client, context.service, name)
