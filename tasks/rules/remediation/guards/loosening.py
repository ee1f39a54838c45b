"""The guards of what loosens: never late, never blind, and never over a newer hand (safety rule 8)."""

from tasks.model.incidents.incident import Action
from tasks.model.remediation.in_force import AUTOMATION, Held, InForce, Restriction
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of
from tasks.rules.in_force.restrictions import in_force, restriction_words
from tasks.rules.remediation.guards.effect import Effect, effect_of, trading_in_force
from tasks.rules.remediation.guards.guard_inputs import GuardInputs

# How long a run that began in time may check before it acts. Units: seconds.
RUN_TAKES_S = 60.0
# No name in an order passes these by where more is let through: a stale form may carry any of them.
NEVER_OVERRIDDEN = frozenset({GuardCode.RUN_LATE, GuardCode.BLIND, GuardCode.NEWER_HAND})


def loosens(planned: PlannedAction, inputs: GuardInputs) -> bool:
    return effect_of(planned, inputs.latest) is Effect.LOOSENS


def sees_what_is_in_force(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Loosen nothing of which the last check could not read how it stands: nobody's halt is no halt."""
    if not loosens(planned, inputs):
        return Verdict.yes()
    routing = inputs.latest.routing
    if routing is None:
        detail = "expected to see what is in force, found the routing not read; check the service, then resume"
        return Verdict.no(GuardCode.BLIND, detail)
    unread = in_force(inputs.latest).unknown
    if unread:
        detail = f"expected to see what is in force, found {unread}; check again, then resume"
        return Verdict.no(GuardCode.BLIND, detail)
    if routing.standings is not None and not _is_told(planned.target, inputs, routing.standings):
        detail = f"expected the proofs of control to say how {planned.target.words} stands, found that none does"
        return Verdict.no(GuardCode.BLIND, f"{detail}; set proven_by, or resume with your own tools")
    return Verdict.yes()


def _is_told(target: Target, inputs: GuardInputs, standings: dict[str, str]) -> bool:
    """Say whether anything tells how the target of a resume stands, at a service whose control is described."""
    if target.strategy is not None:
        return inputs.latest.routing is not None and target.strategy in inputs.latest.routing.strategies
    if target.asset_class is not None:
        return trading_in_force(inputs.latest, target.asset_class) is not None
    told = dependency_of(inputs.latest, target.gateway or "")
    return bool(standings.get(f"{Held.GATEWAY}/{target.gateway}")) or (told is not None and told.set_to is not None)


def not_stale(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Loosen nothing by an order of long ago, also where its run began in time and was held up since."""
    asked_at = inputs.asked.at if inputs.asked else None
    if asked_at is None or not loosens(planned, inputs):
        return Verdict.yes()
    age_s, limit_s = (inputs.now - asked_at).total_seconds(), inputs.capabilities.late_after_s + RUN_TAKES_S
    if age_s > limit_s:
        detail = (
            f"expected a request of the last {limit_s:g} s, found age_s={age_s:.0f}; check the service, then ask again"
        )
        return Verdict.no(GuardCode.RUN_LATE, detail)
    return Verdict.yes()


def nothing_set_since(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Take back only what it was asked about: not what somebody set since, nor, by itself, what a person set.

    A service that does not say when something was set is compared by its state, its hand and its reason.
    """
    if not loosens(planned, inputs):
        return Verdict.yes()
    for now in held_on(planned, in_force(inputs.latest)):
        if inputs.asked is None and now.set_by not in {AUTOMATION, None}:
            return _newer(now, "which a person set")
        asked_at = inputs.asked.at if inputs.asked else None
        if asked_at is not None and now.set_at is not None and now.set_at > asked_at:
            return _newer(now, f"which was set after {asked_at:%H:%M:%S}Z, when this was asked for")
        if planned.about is not None and now not in planned.about:
            return _newer(now, "which was set since this was planned")
    return Verdict.yes()


def held_on(planned: PlannedAction, found: InForce) -> tuple[Restriction, ...]:
    """Find what is in force on the very thing that an action would loosen."""
    wanted = _held(planned.action, planned.target)
    return tuple(one for one in found.restrictions if (one.kind, one.name) == wanted)


def _held(action: Action, target: Target) -> tuple[Held, str] | None:
    if action is Action.REROUTE_ORDERS:
        return (Held.ROUTE, target.asset_class) if target.asset_class else None
    if target.strategy is not None:
        return Held.STRATEGY, target.strategy
    if target.asset_class is not None:
        return Held.TRADING, target.asset_class
    return (Held.GATEWAY, target.gateway) if target.gateway is not None else None


def _newer(now: Restriction, since: str) -> Verdict:
    reason = f", for {now.reason}" if now.reason else ""
    return Verdict.no(
        GuardCode.NEWER_HAND, f"{restriction_words(now)}{reason}, {since}; ask whoever set it, then ask again"
    )
