"""Take back a class's pause, a strategy's halt or a gateway's mark; a class only where a test order is delivered."""

from tasks.clients import control
from tasks.clients.acting import Done, Scene
from tasks.clients.control_effect import changed
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import order_look
from tasks.model.control import MARKED, GatewayState, StrategyState, TradingState
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, RoutingLook
from tasks.model.orders import AssetClass
from tasks.model.verdicts import GuardCode


async def resumed(scene: Scene) -> Done:
    """Take back what the target names: a strategy's halt, a gateway's mark, or a class's pause."""
    target = scene.planned.target
    if target.strategy is not None:
        return await _strategy(scene, target.strategy)
    if target.asset_class is not None:
        return await _class(scene, target.asset_class)
    if target.gateway is not None:
        return await _gateway(scene, target.gateway)
    raise ValueError("a resume names an asset class, a strategy or a gateway")


async def _class(scene: Scene, name: AssetClass) -> Done:
    """Set the class active, send a test order, and halt it again where that order is not delivered."""
    done = await _set(scene, name, TradingState.ACTIVE)
    if done.outcome is not Outcome.DONE or name not in scene.service.synthetic_orders:
        return done
    async with http_client(scene.service.look.connect_timeout_s) as client:
        order = await order_look(client, scene.service, name)
    if order.outcome.delivered:
        return Done(outcome=Outcome.DONE, detail=f"{done.detail}; a test order was {order.outcome} at {order.gateway}")
    again = await _set(scene, name, TradingState.HALTED)
    because = f"a test order was {order.outcome}: {order.detail}; halted again: {again.outcome}"
    if again.outcome is Outcome.DONE:
        return Done(outcome=Outcome.REFUSED, detail=because, code=GuardCode.HALTED_AGAIN)
    return Done(outcome=Outcome.UNKNOWN, detail=because)


async def _set(scene: Scene, name: AssetClass, state: TradingState) -> Done:
    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None or route.trading_state is None else route.trading_state == state

    change = control.set_trading(scene.service, name, state, scene.why)
    return await changed(scene.service, change, shows, f"{name} {state}")


async def _strategy(scene: Scene, name: str) -> Done:
    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        return routing.strategies[name] == StrategyState.ACTIVE if name in routing.strategies else None

    change = control.set_strategy(scene.service, name, StrategyState.ACTIVE, scene.why)
    return await changed(scene.service, change, shows, f"strategy {name} {StrategyState.ACTIVE}")


async def _gateway(scene: Scene, name: str) -> Done:
    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        told = next((one for one in health.dependencies if one.name == name), None)
        return None if told is None else told.set_to not in MARKED

    change = control.set_gateway(scene.service, name, GatewayState.ENABLED, scene.why)
    return await changed(scene.service, change, shows, f"gateway {name} {GatewayState.ENABLED}")
