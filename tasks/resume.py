"""§2.2: end a pause, by a person's order only: the class trades again once a test order has filled."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import control
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.control_effect import changed
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import order_look
from tasks.model.control import TradingState
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, RoutingLook
from tasks.model.orders import AssetClass
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings


@task(name="resume", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def resume(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Let a paused class trade again, once, and pause it again where its test order does not fill.

    Runbook: §2.2, after the pause.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await carried_out(load_settings(), case, planned, resumed)


async def resumed(scene: Scene) -> Done:
    """Set the class active, send a test order, and halt it again where that order is not delivered."""
    name = scene.planned.target.asset_class
    if name is None:
        raise ValueError("a resume names an asset class")
    done = await _set(scene, name, TradingState.ACTIVE)
    if done.outcome is not Outcome.DONE or name not in scene.service.synthetic_orders:
        return done
    async with http_client(scene.service.look.connect_timeout_s) as client:
        order = await order_look(client, scene.service, name)
    if order.outcome.delivered:
        return Done(outcome=Outcome.DONE, detail=f"{done.detail}; a test order was {order.outcome} at {order.gateway}")
    again = await _set(scene, name, TradingState.HALTED)
    because = f"a test order was {order.outcome}: {order.detail}; halted again: {again.outcome}"
    return Done(outcome=Outcome.REFUSED if again.outcome is Outcome.DONE else Outcome.UNKNOWN, detail=because)


async def _set(scene: Scene, name: AssetClass, state: TradingState) -> Done:
    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None or route.trading_state is None else route.trading_state == state

    change = control.set_trading(scene.service, name, state, scene.why)
    return await changed(scene.service, change, shows, f"{name} {state}")
