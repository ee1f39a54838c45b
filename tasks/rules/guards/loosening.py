"""The guards of what loosens: never late, never blind, and never over a newer hand (safety rule 8)."""

from tasks.model.in_force import AUTOMATION, Held, InForce, Restriction
from tasks.model.incident import Action
from tasks.model.plan import PlannedAction, Target
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.effect import Effect, effect_of
from tasks.rules.guards.facts import Facts
from tasks.rules.in_force import in_force, restriction_words

# How long a run that began in time may look before it acts. Units: seconds.
RUN_TAKES_S = 60.0
# No name in an order passes these by where more is let through: a stale form may carry any of them.
NEVER_OVERRIDDEN = frozenset({GuardCode.RUN_LATE, GuardCode.BLIND, GuardCode.NEWER_HAND})


def loosens(planned: PlannedAction, facts: Facts) -> bool:
    """Say whether an action lets more through than what is in force."""
    return effect_of(planned, facts.latest) is Effect.LOOSENS


def sees_what_is_in_force(planned: PlannedAction, facts: Facts) -> Verdict:
    """Loosen nothing of which the last look could not read how it stands: nobody's halt is no halt."""
    if not loosens(planned, facts):
        return Verdict.yes()
    routing = facts.latest.routing
    if routing is None:
        return Verdict.no(GuardCode.BLIND, "expected to see what is in force was no look at the routing")
    unread = in_force(facts.latest).unknown
    if unread:
        return Verdict.no(GuardCode.BLIND, f"expected to see what is in force was {unread}; look again, then resume")
    return Verdict.yes()


def not_stale(planned: PlannedAction, facts: Facts) -> Verdict:
    """Loosen nothing by an order of long ago, also where its run began in time and was held up since."""
    asked_at = facts.asked.at if facts.asked else None
    if asked_at is None or not loosens(planned, facts):
        return Verdict.yes()
    age_s, limit_s = (facts.now - asked_at).total_seconds(), facts.setup.late_after_s + RUN_TAKES_S
    if age_s > limit_s:
        detail = (
            f"expected an order of the last {limit_s:g} s was age_s={age_s:.0f}; look at the service, order it again"
        )
        return Verdict.no(GuardCode.RUN_LATE, detail)
    return Verdict.yes()


def no_newer_hand(planned: PlannedAction, facts: Facts) -> Verdict:
    """Take back only what it was asked about: not what somebody set since, nor, by itself, what a person set.

    Errors: none. A service that does not say when something was set is compared by its state, its hand and its reason.
    """
    if not loosens(planned, facts):
        return Verdict.yes()
    for now in held_on(planned, in_force(facts.latest)):
        if facts.asked is None and now.set_by not in {AUTOMATION, None}:
            return _newer(now, "which a person set")
        asked_at = facts.asked.at if facts.asked else None
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
        return (Held.ROUTE, target.asset_class.value) if target.asset_class else None
    if target.strategy is not None:
        return Held.STRATEGY, target.strategy
    if target.asset_class is not None:
        return Held.TRADING, target.asset_class.value
    return (Held.GATEWAY, target.gateway) if target.gateway is not None else None


def _newer(now: Restriction, since: str) -> Verdict:
    reason = f", for {now.reason}" if now.reason else ""
    return Verdict.no(
        GuardCode.NEWER_HAND, f"{restriction_words(now)}{reason}, {since}; ask whoever set it, then order it again"
    )
