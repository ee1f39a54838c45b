"""Take back a class's pause, a strategy's halt or a gateway's mark; a class only where a test order is delivered."""

from tasks.clients.service import control
from tasks.clients.service.http import http_client
from tasks.clients.service.synthetic_orders import order_probe
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import MARKED, GatewayState, StrategyState, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import HealthProbe, RoutingProbe
from tasks.model.remediation.verdicts import GuardCode
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def resumed(context: ActionContext) -> ActionOutcome:
    """Take back what the target names: a strategy's halt, a gateway's mark, or a class's pause."""
    target = context.planned.target
    if target.strategy is not None:
        return await _strategy(context, target.strategy)
    if target.asset_class is not None:
        return await _class(context, target.asset_class)
    if target.gateway is not None:
        return await _gateway(context, target.gateway)
    raise ValueError("a resume names an asset class, a strategy or a gateway")


async def _class(context: ActionContext, name: AssetClass) -> ActionOutcome:
    """Set the class active, send a test order, and halt it again where that order is not delivered."""
    done = await _set(context, name, TradingState.ACTIVE)
    if done.outcome is not Outcome.DONE or name not in context.service.test_orders:
        return done
    async with http_client(context.service.http, context.service.look.connect_timeout_s) as client:
        order = await order_probe(client, context.service, name)
    if order.outcome.delivered:
        return ActionOutcome(
            outcome=Outcome.DONE, detail=f"{done.detail}; a test order was {order.outcome} at {order.gateway}"
        )
    again = await _set(context, name, TradingState.HALTED)
    because = f"a test order was {order.outcome}: {order.detail}; halted again: {again.outcome}"
    if again.outcome is Outcome.DONE:
        return ActionOutcome(outcome=Outcome.REFUSED, detail=because, code=GuardCode.HALTED_AGAIN)
    return ActionOutcome(outcome=Outcome.UNKNOWN, detail=because)


async def _set(context: ActionContext, name: AssetClass, state: TradingState) -> ActionOutcome:
    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None or route.trading_state is None else route.trading_state == state

    change = control.set_trading(context.service, name, state, context.why)
    return await changed(context.service, change, shows, f"{name} {state}")


async def _strategy(context: ActionContext, name: str) -> ActionOutcome:
    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        return routing.strategies[name] == StrategyState.ACTIVE if name in routing.strategies else None

    change = control.set_strategy(context.service, name, StrategyState.ACTIVE, context.why)
    return await changed(context.service, change, shows, f"strategy {name} {StrategyState.ACTIVE}")


async def _gateway(context: ActionContext, name: str) -> ActionOutcome:
    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        dependency = next((one for one in health.dependencies if one.name == name), None)
        return None if dependency is None else dependency.set_to not in MARKED

    change = control.set_gateway(context.service, name, GatewayState.ENABLED, context.why)
    return await changed(context.service, change, shows, f"gateway {name} {GatewayState.ENABLED}")
