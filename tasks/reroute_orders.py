"""§2.2: lead the new orders of a class to an approved alternate: a test order first, then all. None is sent again."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import control
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.control_effect import changed
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import order_look
from tasks.model.control import ControlOutcome, RouteScope
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, OrderLook, RoutingLook
from tasks.model.orders import AssetClass
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.model.verdicts import GuardCode
from tasks.rules.guards.reroute import proven_fill
from tasks.settings import load_settings


@task(name="reroute_orders", cache_policy=NO_CACHE, timeout_seconds=180, retries=0)
async def reroute_orders(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Lead the new orders of one class to an alternate, once.

    Runbook: §2.2 If one gateway is failing, re-route orders if that is safe.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await carried_out(load_settings(), case, planned, rerouted)


async def rerouted(scene: Scene) -> Done:
    """Try the alternate with a test order, then lead all new orders there.

    Errors: none. What another class filled there just now stands in for a trial that the service does not know, and
    never for one that failed. A trial that may still be in force is *unknown*: its fills would hide the trouble.
    Steps: the way back to the table's own gateway is to follow the table again, so that its next change counts.
    """
    name, to = scene.planned.target.asset_class, scene.planned.target.gateway
    if name is None or to is None:
        raise ValueError("a re-route names an asset class and a gateway")
    trial = await _tried(scene, name, to)
    untried = trial.code is GuardCode.NOT_AVAILABLE
    if trial.outcome is not Outcome.DONE and not (untried and proven_fill(scene.facts.evidence, to)):
        return trial.model_copy(update={"code": GuardCode.ALTERNATE_NOT_HEALTHY})

    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None else route.gateway == to

    set_to = None if to == _of_table(scene, name) else to
    change = control.set_route(scene.service, name, set_to, scene.why)
    return await changed(scene.service, change, shows, f"{name} to {to}")


def _of_table(scene: Scene, name: AssetClass) -> str | None:
    routing = scene.facts.latest.routing
    route = routing.route(name) if routing else None
    return route.table_gateway if route else None


async def _tried(scene: Scene, name: AssetClass, to: str) -> Done:
    """Send one test order through the alternate while real orders stay where they are."""
    small = await control.set_route(scene.service, name, to, scene.why, scope=RouteScope.SYNTHETIC)
    match small.outcome:
        case ControlOutcome.REFUSED | ControlOutcome.NOT_AVAILABLE:
            detail = f"{to} could not be tried with a test order first: {small.detail}"
            return Done(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NOT_AVAILABLE)
        case ControlOutcome.UNKNOWN:
            return await _taken_back(scene, name, f"{to} was to be tried with a test order first: {small.detail}")
        case _:
            order = await _test_order(scene, name)
    if order.outcome.delivered and order.gateway == to:
        return Done(outcome=Outcome.DONE, detail=f"a test order was {order.outcome} at {to}")
    where = order.gateway or "no gateway"
    return await _taken_back(scene, name, f"a test order at {to} was {order.outcome} at {where}: {order.detail}")


async def _taken_back(scene: Scene, name: AssetClass, fault: str) -> Done:
    """Lead test orders where real ones go again."""
    undone = await control.set_route(scene.service, name, None, scene.why, scope=RouteScope.SYNTHETIC)
    if undone.is_done:
        return Done(outcome=Outcome.REFUSED, detail=fault)
    detail = f"{fault}; taking it back: {undone.outcome}, test orders of {name} may go elsewhere than real ones"
    return Done(outcome=Outcome.UNKNOWN, detail=detail)


async def _test_order(scene: Scene, name: AssetClass) -> OrderLook:
    async with http_client(scene.service.look.connect_timeout_s) as client:
        return await order_look(client, scene.service, name)
