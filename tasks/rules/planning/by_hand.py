"""The plan of a person's own order: the action that was asked for, weighed against the same guards."""

from datetime import datetime

from tasks.model.by_hand import Instruction
from tasks.model.control import TradingState
from tasks.model.incident import Action
from tasks.model.orders import AssetClass
from tasks.model.plan import Plan, PlannedAction, Target
from tasks.rules.guards.facts import Facts
from tasks.rules.guards.loosening import held_on
from tasks.rules.in_force import in_force
from tasks.rules.planning.changes import last_good_release
from tasks.rules.planning.plan import weighed
from tasks.rules.planning.wanted import key_of, traded


def plan_by_hand(instruction: Instruction, facts: Facts, incident_id: str) -> Plan:
    """Write the plan of one order by hand; each target is one action.

    Runbook: §2 Remediation of the common cases.
    Errors: none. What a person left open is filled in: every class, the table's own gateway, the last good release.
    """
    wanted = (
        _about(_action(instruction, target, incident_id, facts.now), facts)
        for one in instruction.targets or _all_targets(instruction, facts)
        for target in [_completed(instruction.action, one, facts)]
    )
    return Plan(written_at=facts.now, actions=weighed(wanted, facts), orders=facts.orders)


def _action(instruction: Instruction, target: Target, incident_id: str, now: datetime) -> PlannedAction:
    """Write one action. The key names the moment, too: a person may ask for the same thing twice in one incident."""
    return PlannedAction(
        key=f"{key_of(incident_id, instruction.action, target)}/by-hand-{now:%Y%m%dT%H%M%SZ}",
        action=instruction.action,
        incident_id=incident_id,
        why=f"by hand, {instruction.asked.by}: {instruction.asked.reason}",
        target=target,
    )


def _about(planned: PlannedAction, facts: Facts) -> PlannedAction:
    """Note what is in force on the target now: what somebody sets after this is not what was asked about."""
    return planned.model_copy(update={"about": held_on(planned, in_force(facts.latest))})


def _all_targets(instruction: Instruction, facts: Facts) -> tuple[Target, ...]:
    match instruction.action:
        case Action.PAUSE_STRATEGIES:
            return tuple(Target(asset_class=name) for name in tradable(facts))
        case Action.RESUME:
            routes = facts.latest.routing.routes if facts.latest.routing else ()
            return tuple(Target(asset_class=one.asset_class) for one in routes if one.is_paused)
        case _:
            return (Target(),)


def tradable(facts: Facts) -> tuple[AssetClass, ...]:
    """List the classes that a pause of everything pauses: all that anybody knows of, and where nobody does, all."""
    of_gateways = {name for one in facts.evidence.context.known_gateways for name in one.asset_classes}
    known = {*traded(facts), *of_gateways}
    return tuple(name for name in AssetClass if name in known or not known)


def _completed(action: Action, target: Target, facts: Facts) -> Target:
    """Fill in what the person left open."""
    match action:
        case Action.PAUSE_STRATEGIES if target.strategy is None and target.trading_state is None:
            return target.model_copy(update={"trading_state": TradingState.HALTED})
        case Action.REROUTE_ORDERS if target.gateway is None and target.asset_class is not None:
            route = facts.latest.routing.route(target.asset_class) if facts.latest.routing else None
            return target.model_copy(update={"gateway": route.table_gateway if route else None})
        case Action.ROLL_BACK_RELEASE if target.release is None:
            running: frozenset[str | None] = frozenset({facts.latest.health.release})
            return target.model_copy(update={"release": last_good_release(facts, running)})
        case _:
            return target
