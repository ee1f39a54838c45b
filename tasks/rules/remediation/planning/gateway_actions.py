"""What helps when a gateway is gone or fails: mark it, re-route new orders around it where that is safe, else pause."""

from tasks.model.diagnosis.diagnosis import Kind
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import MARKED, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Due, PlannedAction, Target
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of, signs_of
from tasks.rules.diagnosis.causes.gateways import affected_classes
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.propose import Trouble, instead, is_paused, pause

Actions = tuple[PlannedAction, ...]


def unreachable(trouble: Trouble) -> Actions:
    """Mark the gateway degraded; re-route each of its classes, or pause it. Never restart (safety rule 6).

    Runbook: §2.1 If a dependency is unreachable, §2.2 re-route orders if that is safe, else pause.
    """
    marks = [mark for name in trouble.finding.gateways for mark in _marked(trouble, name)]
    routes = [step for name in trouble.finding.asset_classes for step in _around(trouble, name)]
    return (*marks, *routes)


def failing(trouble: Trouble) -> Actions:
    """Do for each gateway what its trouble asks for.

    Runbook: §2.2 If one gateway is failing.
    """
    signs = signs_of(trouble.inputs.evidence)
    return tuple(step for name in trouble.finding.gateways for step in _failing(trouble, name, signs.get(name)))


def _failing(trouble: Trouble, gateway: str, kind: Kind | None) -> Actions:
    """Say what one gateway's trouble asks for; one that flaps is marked and never switched to and fro."""
    match kind:
        case Kind.UNSTABLE:
            return _marked(trouble, gateway)
        case Kind.LATENCY:
            return (*_marked(trouble, gateway), *_paused(trouble, gateway, TradingState.REDUCING))
        case Kind.REJECTS | Kind.NO_EXECUTIONS | Kind.UNKNOWN_OUTCOMES:
            return _paused(trouble, gateway, TradingState.HALTED)
        case _:
            return ()


def _marked(trouble: Trouble, gateway: str) -> Actions:
    dependency = dependency_of(trouble.inputs.latest, gateway)
    if dependency is not None and dependency.set_to in MARKED:
        return ()
    return (trouble.wants(Action.MARK_DEGRADED, Target(gateway=gateway)),)


def _paused(trouble: Trouble, gateway: str, state: TradingState) -> Actions:
    classes = affected_classes(trouble.inputs.evidence, frozenset({gateway}))
    return tuple(
        pause(trouble, name, _no_looser(trouble, name, state))
        for name in classes
        if not is_paused(trouble.inputs, name, state)
    )


def _no_looser(trouble: Trouble, asset_class: AssetClass, state: TradingState) -> TradingState:
    """Halt a class of which nobody can say how it stands: *reducing* would loosen what a person may have halted."""
    routing = trouble.inputs.latest.routing
    return TradingState.HALTED if routing is None or routing.leaves_open(asset_class) else state


def _around(trouble: Trouble, asset_class: AssetClass) -> Actions:
    """Re-route a class's new orders around its gateway; where that is not done, pause it."""
    if is_paused(trouble.inputs, asset_class):
        return ()
    rerouted = _reroute(trouble, asset_class)
    return (rerouted, instead(pause(trouble, asset_class), Due.IF_NOT_DONE, rerouted))


def _reroute(trouble: Trouble, asset_class: AssetClass) -> PlannedAction:
    """Take the first approved alternate that every guard lets pass, else the first, so that its refusal is shown."""
    wanted = [
        trouble.wants(Action.REROUTE_ORDERS, Target(asset_class=asset_class, gateway=name))
        for name in alternates(trouble, asset_class)
    ]
    if not wanted:
        return trouble.wants(Action.REROUTE_ORDERS, Target(asset_class=asset_class))
    passing = (one for one in wanted if _may_pass(one, trouble))
    return next(passing, wanted[0])


def _may_pass(planned: PlannedAction, trouble: Trouble) -> bool:
    verdict = evaluate(planned, trouble.inputs)
    return verdict.allowed or verdict.code == "APPROVAL_NEEDED"


def alternates(trouble: Trouble, asset_class: AssetClass) -> tuple[str, ...]:
    """List where a class may go instead, the table's own gateway first where it is not the one in force."""
    route = trouble.inputs.latest.routing.route(asset_class) if trouble.inputs.latest.routing else None
    if route is None:
        return ()
    unhealthy = {*trouble.finding.gateways, route.gateway}
    return tuple(
        name for name in dict.fromkeys((route.table_gateway, *route.alternates)) if name and name not in unhealthy
    )
