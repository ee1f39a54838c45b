"""The plan of a person's own order: the action that was asked for, evaluated against the same guards."""

from datetime import datetime

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import WELL_KNOWN, AssetClass, classes_in
from tasks.model.remediation.in_force import Held
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import Plan, PlannedAction, Target
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.loosening import held_on
from tasks.rules.remediation.planning.change_actions import last_good_release
from tasks.rules.remediation.planning.plan import evaluated
from tasks.rules.remediation.planning.propose import key_of, traded


def plan_for_operator(manual_action: ManualAction, inputs: GuardInputs, incident_id: str) -> Plan:
    """Write the plan of one manual action; each target is one action.

    Runbook: §2 Remediation of the common cases.
    What a person left open is filled in: every class, the table's own gateway, the last good release.
    """
    wanted = (
        _about(_action(manual_action, target, incident_id, inputs.now), inputs)
        for one in manual_action.targets or _all_targets(manual_action, inputs)
        for target in [_completed(manual_action.action, one, inputs)]
    )
    return Plan(written_at=inputs.now, actions=evaluated(wanted, inputs), orders=inputs.orders)


def _action(manual_action: ManualAction, target: Target, incident_id: str, now: datetime) -> PlannedAction:
    """Write one action. The key names the moment, too: a person may ask for the same thing twice in one incident."""
    return PlannedAction(
        key=f"{key_of(incident_id, manual_action.action, target)}/by-hand-{now:%Y%m%dT%H%M%S.%fZ}",
        action=manual_action.action,
        incident_id=incident_id,
        why=f"manual action by {manual_action.asked.by}: {manual_action.asked.reason}",
        target=target,
    )


def _about(planned: PlannedAction, inputs: GuardInputs) -> PlannedAction:
    """Note what is in force on the target now: what somebody sets after this is not what was asked about."""
    return planned.model_copy(update={"about": held_on(planned, in_force(inputs.latest))})


def _all_targets(manual_action: ManualAction, inputs: GuardInputs) -> tuple[Target, ...]:
    match manual_action.action:
        case Action.PAUSE_STRATEGIES:
            return tuple(Target(asset_class=name) for name in tradable(inputs))
        case Action.RESUME:
            routes = inputs.latest.routing.routes if inputs.latest.routing else ()
            told = inputs.latest.routing is not None and inputs.latest.routing.standings is not None
            proven = [one.name for one in in_force(inputs.latest).restrictions if told and one.kind is Held.TRADING]
            paused = classes_in([one.asset_class for one in routes if one.is_paused], proven)
            return tuple(Target(asset_class=name) for name in paused)
        case _:
            return (Target(),)


def tradable(inputs: GuardInputs) -> tuple[AssetClass, ...]:
    """List the classes that a pause of everything pauses: all that is described or was seen, else the well-known."""
    context = inputs.evidence.context
    of_gateways = [one.asset_classes for one in context.known_gateways]
    return classes_in(traded(inputs), context.known_classes, *of_gateways) or WELL_KNOWN


def _completed(action: Action, target: Target, inputs: GuardInputs) -> Target:
    match action:
        case Action.PAUSE_STRATEGIES if target.strategy is None and target.trading_state is None:
            return target.model_copy(update={"trading_state": TradingState.HALTED})
        case Action.REROUTE_ORDERS if target.gateway is None and target.asset_class is not None:
            route = inputs.latest.routing.route(target.asset_class) if inputs.latest.routing else None
            return target.model_copy(update={"gateway": route.table_gateway if route else None})
        case Action.ROLL_BACK_RELEASE if target.release is None:
            running: frozenset[str | None] = frozenset({inputs.latest.health.release})
            return target.model_copy(update={"release": last_good_release(inputs, running)})
        case _:
            return target
