"""Pause an asset class or a strategy at the control plane. To reduce what is halted would loosen it: never done."""

from tasks.clients.service import control
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import StrategyState, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import RoutingProbe
from tasks.model.remediation.plan import Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.remediation.guards.effect import trading_in_force
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome
from tasks.work.remediation.guard_inputs import standing_now


async def paused(context: ActionContext) -> ActionOutcome:
    """Pause the strategy or the class, and see that the service says so."""
    target = context.planned.target
    state = target.trading_state or TradingState.HALTED
    if target.strategy is not None:
        change = control.set_strategy(context.service, target.strategy, StrategyState.HALTED, context.why)
        return await changed(context.service, change, lambda _, seen: _strategy_shows(seen, target), target.words)
    if target.asset_class is None:
        raise ValueError("a pause names an asset class or a strategy")
    if state is TradingState.REDUCING:
        strict = await _strict_enough(context, target.asset_class)
        if strict is not None:
            return strict
    change = control.set_trading(context.service, target.asset_class, state, context.why)
    return await changed(context.service, change, lambda _, seen: _class_shows(seen, target, state), target.words)


async def _strict_enough(context: ActionContext, name: AssetClass) -> ActionOutcome | None:
    """Leave a class as it is that somebody has paused already: to reduce what is halted would loosen it.

    Steps: one check, and where it failed nothing is sent; a service that does not say how a class stands is believed to
    be as it was planned for.
    """
    seen = await standing_now(context.service)
    state = trading_in_force(seen, name)
    if state is None:
        detail = f"whether somebody has halted {name} since is not known: {seen.routing.detail if seen.routing else ''}"
        return ActionOutcome(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.BLIND)
    if state == TradingState.ACTIVE:
        return None
    held = in_force(seen).of_class(name)
    by = f" by {held.set_by}" if held and held.set_by else ""
    return ActionOutcome(outcome=Outcome.DONE, detail=f"{name} is {state} already{by}; nothing was sent")


def _class_shows(routing: RoutingProbe, target: Target, state: TradingState) -> bool | None:
    route = routing.route(target.asset_class) if target.asset_class else None
    return None if route is None or route.trading_state is None else route.trading_state == state


def _strategy_shows(routing: RoutingProbe, target: Target) -> bool | None:
    return None if not routing.strategies else routing.strategies.get(target.strategy or "") == StrategyState.HALTED
