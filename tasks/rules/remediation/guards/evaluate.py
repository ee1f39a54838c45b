"""Which guards each action has to pass, in this order; the first that forbids decides."""

from collections.abc import Callable

from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.remediation.guards.back_off import not_too_soon
from tasks.rules.remediation.guards.effect import never_loosens
from tasks.rules.remediation.guards.every_action import (
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
    target_is_named,
)
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.loosening import (
    NEVER_OVERRIDDEN,
    loosens,
    not_stale,
    nothing_set_since,
    sees_what_is_in_force,
)
from tasks.rules.remediation.guards.one_instance import leaves_one_serving, one_at_a_time
from tasks.rules.remediation.guards.reroute import (
    alternate_is_approved,
    alternate_is_healthy,
    bears_the_load,
    market_is_open,
)
from tasks.rules.remediation.guards.restart import (
    can_restart,
    neighbors_healthy,
    no_shared_cause,
    orders_proven,
    restart_budget,
)
from tasks.rules.remediation.guards.resume import class_is_healthy, operator_only
from tasks.rules.remediation.guards.roll_back import (
    can_roll_back,
    gateways_healthy,
    not_rolled_back_before,
    same_features,
    same_routing,
    same_table,
    target_was_healthy,
)

Guard = Callable[[PlannedAction, GuardInputs], Verdict]
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
        leaves_one_serving,
        one_at_a_time,
        no_shared_cause,
        neighbors_healthy,
        restart_budget,
        not_too_soon,
        orders_proven,
        mode_allows,
    ),
    Action.MARK_DEGRADED: TIGHTENING,
    Action.REROUTE_ORDERS: (
        *ALWAYS,
        can_control,
        not_stale,
        nothing_set_since,
        alternate_is_approved,
        alternate_is_healthy,
        market_is_open,
        bears_the_load,
        not_too_soon,
        orders_proven,
        mode_allows,
    ),
    Action.PAUSE_STRATEGIES: TIGHTENING,
    Action.RESTORE_ROUTING: (*ALWAYS, can_control, not_too_soon, mode_allows),
    Action.DISABLE_FEATURE: (*ALWAYS, can_control, mode_allows),
    Action.ROLL_BACK_RELEASE: (
        *ALWAYS,
        can_roll_back,
        can_restart,
        not_rolled_back_before,
        no_shared_cause,
        neighbors_healthy,
        gateways_healthy,
        target_was_healthy,
        same_features,
        same_routing,
        same_table,
        not_too_soon,
        orders_proven,
        mode_allows,
    ),
    Action.RESUME: (
        target_is_named,
        operator_only,
        nothing_under_way,
        not_late,
        nothing_half_done,
        can_control,
        not_stale,
        sees_what_is_in_force,
        nothing_set_since,
        class_is_healthy,
        mode_allows,
    ),
}


def evaluate(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Say whether an action may go on: the first guard that forbids it decides, unless a person passed it by by name.

    Runbook: §2 Remediation.
    Every guard is a verdict, and one that forbids is named. Late, blind or newer stops all that loosens.
    """
    details: list[str] = []
    passed: list[GuardCode] = []
    may_pass = frozenset(inputs.asked.overrides) - {GuardCode.LAST_INSTANCE} if inputs.asked else frozenset()
    if loosens(planned, inputs):
        may_pass -= NEVER_OVERRIDDEN
    for guard in _guards(planned, inputs):
        verdict = guard(planned, inputs)
        if not verdict.allowed and verdict.code not in may_pass:
            return verdict
        if not verdict.allowed:
            passed.append(verdict.code)
            details.append(f"{verdict.code} overridden ({verdict.detail})")
        elif verdict.detail:
            details.append(verdict.detail)
    return Verdict.yes("; ".join(details), tuple(passed))


def _guards(planned: PlannedAction, inputs: GuardInputs) -> tuple[Guard, ...]:
    by_hand = inputs.asked is not None and planned.finding is None
    return TIGHTENING_BY_HAND if by_hand and planned.action in TIGHTENERS else GUARDS[planned.action]
