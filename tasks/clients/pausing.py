"""Pause an asset class or a strategy at the control plane. To reduce what is halted would loosen it: never done."""

from tasks.clients import control
from tasks.clients.acting import Done, Scene
from tasks.clients.control_effect import changed
from tasks.clients.facts import standing_now
from tasks.model.control import StrategyState, TradingState
from tasks.model.incident import Outcome
from tasks.model.looks import RoutingLook
from tasks.model.orders import AssetClass
from tasks.model.plan import Target
from tasks.model.verdicts import GuardCode
from tasks.rules.guards.effect import trading_in_force
from tasks.rules.in_force import in_force


async def paused(scene: Scene) -> Done:
    """Pause the strategy or the class, and see that the service says so."""
    target = scene.planned.target
    state = target.trading_state or TradingState.HALTED
    if target.strategy is not None:
        change = control.set_strategy(scene.service, target.strategy, StrategyState.HALTED, scene.why)
        return await changed(scene.service, change, lambda _, seen: _strategy_shows(seen, target), target.words)
    if target.asset_class is None:
        raise ValueError("a pause names an asset class or a strategy")
    if state is TradingState.REDUCING:
        strict = await _strict_enough(scene, target.asset_class)
        if strict is not None:
            return strict
    change = control.set_trading(scene.service, target.asset_class, state, scene.why)
    return await changed(scene.service, change, lambda _, seen: _class_shows(seen, target, state), target.words)


async def _strict_enough(scene: Scene, name: AssetClass) -> Done | None:
    """Leave a class as it is that somebody has paused already: to reduce what is halted would loosen it.

    Steps: one look, and where it failed nothing is sent; a service that does not say how a class stands is believed to
    be as it was planned for.
    """
    seen = await standing_now(scene.service)
    state = trading_in_force(seen, name)
    if state is None:
        detail = f"whether somebody has halted {name} since is not known: {seen.routing.detail if seen.routing else ''}"
        return Done(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.BLIND)
    if state == TradingState.ACTIVE:
        return None
    held = in_force(seen).of_class(name)
    by = f" by {held.set_by}" if held and held.set_by else ""
    return Done(outcome=Outcome.DONE, detail=f"{name} is {state} already{by}; nothing was sent")


def _class_shows(routing: RoutingLook, target: Target, state: TradingState) -> bool | None:
    route = routing.route(target.asset_class) if target.asset_class else None
    return None if route is None or route.trading_state is None else route.trading_state == state


def _strategy_shows(routing: RoutingLook, target: Target) -> bool | None:
    return None if not routing.strategies else routing.strategies.get(target.strategy or "") == StrategyState.HALTED
