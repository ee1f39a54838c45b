"""Write down one wanted action; the guards evaluate it afterwards."""

from tasks.model.diagnosis.diagnosis import Finding
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import Observation, OrderOutcome
from tasks.model.remediation.in_force import Held
from tasks.model.remediation.plan import Due, PlannedAction, Target
from tasks.model.values import Value
from tasks.rules.in_force.restrictions import DENIED_BY, in_force
from tasks.rules.remediation.guards.guard_inputs import GuardInputs


class Trouble(Value):
    """One finding in its incident, and the inputs around it."""

    incident_id: str
    finding: Finding
    inputs: GuardInputs

    def wants(self, action: Action, target: Target | None = None, why: str = "") -> PlannedAction:
        target = target or Target()
        return PlannedAction(
            key=key_of(self.incident_id, action, target),
            action=action,
            incident_id=self.incident_id,
            why=why or self.finding.cause.replace("_", " "),
            target=target,
            finding=self.finding,
        )


def key_of(incident_id: str, action: Action, target: Target) -> str:
    """Name an action for the ledger: the same action on the same target in the same incident has one key."""
    words = target.words.replace(" ", "-")
    return "/".join(part for part in (incident_id, action.value, words) if part)


def pause(
    trouble: Trouble, asset_class: AssetClass, state: TradingState = TradingState.HALTED, why: str = ""
) -> PlannedAction:
    """Pause one asset class; cancels pass (safety rule 8)."""
    target = Target(asset_class=asset_class, trading_state=state)
    return trouble.wants(Action.PAUSE_STRATEGIES, target, why)


def instead(planned: PlannedAction, due: Due, other: PlannedAction) -> PlannedAction:
    return planned.model_copy(update={"due": due, "other": other.key})


def is_paused(inputs: GuardInputs, asset_class: AssetClass, state: TradingState = TradingState.HALTED) -> bool:
    """Say whether a class is paused already, at least as far as wanted."""
    enough = {TradingState.HALTED} if state is TradingState.HALTED else {TradingState.HALTED, TradingState.REDUCING}
    return standing(inputs.latest, asset_class) in enough


def standing(seen: Observation, asset_class: AssetClass) -> TradingState | None:
    """Say which new orders of a class are taken: by its route, by what is listed as set, or by how an order was denied.

    None where nobody said. A number of the metrics is no reason to leave a pause out: no contract says
    which number means what.
    """
    route = seen.routing.route(asset_class) if seen.routing else None
    held = in_force(seen).of_class(asset_class)
    denials = (one.code for one in seen.orders if one.asset_class == asset_class and one.outcome is OrderOutcome.DENIED)
    denied = DENIED_BY.get(next(denials, None) or "")
    said = (route.trading_state if route else None, held.state if held else None, denied)
    return next((TradingState(word) for word in said if word in set(TradingState)), None)


def traded(inputs: GuardInputs) -> tuple[AssetClass, ...]:
    """List the asset classes that the service trades, as far as anybody knows."""
    routed = {one.asset_class for one in inputs.latest.routing.routes} if inputs.latest.routing else set()
    ordered = {one.asset_class for one in inputs.latest.orders}
    told = inputs.latest.routing.standings or {} if inputs.latest.routing else {}
    proven = [name.removeprefix(f"{Held.TRADING}/") for name in told if name.startswith(f"{Held.TRADING}/")]
    past = {name for one in inputs.evidence.context.history[-1:] for name in one.routes}
    return classes_in(routed, ordered, proven, past)
