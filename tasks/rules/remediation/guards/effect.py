"""What an action does to what is in force: it tightens, loosens, or neither. Its guards go by this, not by its name."""

from collections.abc import Sequence
from enum import StrEnum

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import GatewayState, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation
from tasks.model.remediation.in_force import Held
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.remediation.guards.guard_inputs import GuardInputs


class Effect(StrEnum):
    """What becomes of a restriction: less is let through than before, more, or neither; or nobody can say."""

    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    NEUTRAL = "neutral"
    UNKNOWN = "unknown"


# Each from the loosest to the strictest.
TRADING = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)
GATEWAY = (GatewayState.ENABLED, GatewayState.DEGRADED, GatewayState.DISABLED)


def effect_of(planned: PlannedAction, seen: Observation) -> Effect:
    """Say what an action would do to what is in force now.

    Runbook: §2 (safety rule 8).
    The strictest state tightens, whatever is in force; for any other one that must be known.
    """
    target = planned.target
    match planned.action:
        case Action.RESUME:
            return Effect.LOOSENS
        case Action.PAUSE_STRATEGIES if target.asset_class is not None and target.strategy is None:
            wanted = target.trading_state or TradingState.HALTED
            return change_of(TRADING, trading_in_force(seen, target.asset_class), wanted)
        case Action.MARK_DEGRADED:
            return change_of(GATEWAY, mark_in_force(seen, target.gateway or ""), GatewayState.DEGRADED)
        case Action.PAUSE_STRATEGIES | Action.DISABLE_FEATURE:
            return Effect.TIGHTENS
        case Action.REROUTE_ORDERS:
            return Effect.LOOSENS if leads_back(target, seen) else Effect.NEUTRAL
        case _:
            return Effect.NEUTRAL


def change_of(order: Sequence[str], was: str | None, wanted: str) -> Effect:
    """Compare two states in the order of their strictness; a word that is not in it may be stricter than any."""
    if wanted == order[-1]:
        return Effect.TIGHTENS
    if was not in order:
        return Effect.UNKNOWN
    now, then = order.index(was), order.index(wanted)
    return Effect.TIGHTENS if then > now else Effect.LOOSENS if then < now else Effect.NEUTRAL


def trading_in_force(seen: Observation, asset_class: AssetClass) -> str | None:
    """Say how a class stands; None where nobody knows. A service that never says is believed to hold nothing back.

    Steps: the state that its route has, else what is listed as set, or what its test order was denied for; where its
    control is described, what the proofs of that say.
    """
    routing = seen.routing
    if routing is None or routing.leaves_open(asset_class):
        return None
    route, held = routing.route(asset_class), in_force(seen).of_class(asset_class)
    told = (route.trading_state if route else None) or (held.state if held else None)
    if told or routing.standings is None:
        return told or TradingState.ACTIVE
    return routing.standings.get(f"{Held.TRADING}/{asset_class}") or None


def mark_in_force(seen: Observation, gateway: str) -> str | None:
    """Say what a gateway is marked as; None where the service did not answer. One that never says marks nothing."""
    answered = seen.health.exchange is not None and seen.health.exchange.http_status is not None
    dependency = dependency_of(seen, gateway)
    listed = next(
        (one.state for one in in_force(seen).restrictions if one.kind is Held.GATEWAY and one.name == gateway), None
    )
    standings = seen.routing.standings if seen.routing else None
    if dependency is None and standings is not None:
        return listed or standings.get(f"{Held.GATEWAY}/{gateway}") or None
    if dependency is None:
        return listed or (GatewayState.ENABLED if answered else None)
    if dependency.status == GatewayState.DISABLED:
        return GatewayState.DISABLED
    return dependency.set_to or listed or GatewayState.ENABLED


def leads_back(target: Target, seen: Observation) -> bool:
    """Say whether a re-route takes an earlier one back: new orders of the class go to the table's own gateway again."""
    route = seen.routing.route(target.asset_class) if seen.routing and target.asset_class else None
    back_to = route.table_gateway if route else None
    return target.gateway is None or (route is not None and target.gateway == back_to and route.gateway != back_to)


def never_loosens(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Refuse a pause or a mark that would let more through than what is in force, or of which nobody knows it.

    To halt is always allowed, and needs no check.
    """
    match effect_of(planned, inputs.latest):
        case Effect.LOOSENS:
            words = f"{planned.words} would loosen what is in force{_in_force(planned.target, inputs.latest)}"
            return Verdict.no(GuardCode.WOULD_LOOSEN, f"{words}; `resume` takes it back, under its own guards")
        case Effect.UNKNOWN:
            detail = (
                f"expected to read what is in force, found it unreadable, and {planned.words} may loosen it; to "
                "halt is always allowed"
            )
            return Verdict.no(GuardCode.BLIND, detail)
        case _:
            return Verdict.yes()


def _in_force(target: Target, seen: Observation) -> str:
    held = in_force(seen).of_class(target.asset_class) if target.asset_class else None
    if held is not None:
        return f": {held.name} is {held.state}{f' by {held.set_by}' if held.set_by else ''}"
    return f": gateway {target.gateway} is {mark_in_force(seen, target.gateway or '')}"
