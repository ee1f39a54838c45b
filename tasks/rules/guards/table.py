"""Which guards each action has to pass, in this order; the first that forbids decides."""

from collections.abc import Callable

from tasks.model.incident import TIGHTENERS, Action
from tasks.model.plan import PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.common import (
    can_control,
    confirmed,
    effect_proven,
    mode_allows,
    no_maintenance,
    not_late,
    not_undone,
    nothing_half_done,
    nothing_under_way,
    remediation_helps,
)
from tasks.rules.guards.effect import never_loosens
from tasks.rules.guards.facts import Facts
from tasks.rules.guards.loosening import NEVER_OVERRIDDEN, loosens, no_newer_hand, not_stale, sees_what_is_in_force
from tasks.rules.guards.reroute import alternate_is_approved, alternate_is_healthy, bears_the_load, market_is_open
from tasks.rules.guards.restart import can_restart, neighbors_well, no_shared_cause, orders_proven, restart_budget
from tasks.rules.guards.resume import by_hand_only, class_is_well
from tasks.rules.guards.roll_back import (
    can_roll_back,
    gateways_healthy,
    not_rolled_back_before,
    same_features,
    same_routing,
    same_table,
    target_was_healthy,
)
from tasks.rules.guards.target import target_is_named

Guard = Callable[[PlannedAction, Facts], Verdict]
ALWAYS: tuple[Guard, ...] = (
    target_is_named,
    no_maintenance,
    nothing_under_way,
    confirmed,
    not_late,
    nothing_half_done,
    remediation_helps,
    not_undone,
    effect_proven,
)
# What tightens needs neither a budget nor a proof (safety rule 8), only a confirmed reason where nobody asks for it.
TIGHTENING: tuple[Guard, ...] = (
    target_is_named,
    never_loosens,
    no_maintenance,
    nothing_under_way,
    confirmed,
    not_late,
    not_undone,
    can_control,
    mode_allows,
)
# A person's order that tightens passes late, without a diagnosis, in mode observe, beside another run (safety rule 8).
TIGHTENING_BY_HAND: tuple[Guard, ...] = (target_is_named, never_loosens, can_control)
GUARDS: dict[Action, tuple[Guard, ...]] = {
    Action.RESTART_SERVICE: (
        *ALWAYS,
        can_restart,
        no_shared_cause,
        neighbors_well,
        restart_budget,
        orders_proven,
        mode_allows,
    ),
    Action.MARK_DEGRADED: TIGHTENING,
    Action.REROUTE_ORDERS: (
        *ALWAYS,
        can_control,
        not_stale,
        no_newer_hand,
        alternate_is_approved,
        alternate_is_healthy,
        market_is_open,
        bears_the_load,
        orders_proven,
        mode_allows,
    ),
    Action.PAUSE_STRATEGIES: TIGHTENING,
    Action.RESTORE_ROUTING: (*ALWAYS, can_control, mode_allows),
    Action.DISABLE_FEATURE: (*ALWAYS, can_control, mode_allows),
    Action.ROLL_BACK_RELEASE: (
        *ALWAYS,
        can_roll_back,
        can_restart,
        not_rolled_back_before,
        no_shared_cause,
        neighbors_well,
        gateways_healthy,
        target_was_healthy,
        same_features,
        same_routing,
        same_table,
        orders_proven,
        mode_allows,
    ),
    Action.RESUME: (
        target_is_named,
        by_hand_only,
        nothing_under_way,
        not_late,
        nothing_half_done,
        can_control,
        not_stale,
        sees_what_is_in_force,
        no_newer_hand,
        class_is_well,
        mode_allows,
    ),
}


def weigh(planned: PlannedAction, facts: Facts) -> Verdict:
    """Say whether an action may go on: the first guard that forbids it decides, unless a person passed it by by name.

    Runbook: §2 Remediation.
    Errors: none; every guard is a verdict, and one that forbids is told. Late, blind or newer stops all that loosens.
    """
    told: list[str] = []
    passed: list[GuardCode] = []
    may_pass = frozenset(facts.asked.overrides) if facts.asked else frozenset()
    if loosens(planned, facts):
        may_pass -= NEVER_OVERRIDDEN
    for guard in _guards(planned, facts):
        verdict = guard(planned, facts)
        if not verdict.allowed and verdict.code not in may_pass:
            return verdict
        if not verdict.allowed:
            passed.append(verdict.code)
            told.append(f"{verdict.code} passed by ({verdict.detail})")
        elif verdict.detail:
            told.append(verdict.detail)
    return Verdict.yes("; ".join(told), tuple(passed))


def _guards(planned: PlannedAction, facts: Facts) -> tuple[Guard, ...]:
    by_hand = facts.asked is not None and planned.finding is None
    return TIGHTENING_BY_HAND if by_hand and planned.action in TIGHTENERS else GUARDS[planned.action]
