"""What is due next, by how the actions before it ended; and what the whole came to."""

from collections.abc import Sequence

from tasks.model.incidents.incident import TIGHTENERS, Action, Outcome
from tasks.model.remediation.plan import Due, Plan, PlannedAction
from tasks.model.remediation.remediation import (
    ActionResult,
    EvidenceSnapshot,
    Lease,
    RemediationCase,
    RemediationResult,
)
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.action_history import PROVEN_AFTERWARDS

GOOD = frozenset({Outcome.DONE, Outcome.RECOVERED})


def is_due(planned: PlannedAction, results: Sequence[ActionResult]) -> bool:
    """Say whether an action is due now, by how the one that it stands in for ended; nothing is done twice in a run."""
    same = (one for one in results if (one.action, one.planned.target) == (planned.action, planned.target))
    if any(one.proven in GOOD for one in same):
        return False
    other = next((one for one in results if one.key == planned.other), None)
    match planned.due:
        case Due.ALWAYS:
            return True
        case Due.IF_NOT_DONE:
            return other is None or other.proven not in GOOD
        case Due.IF_INEFFECTIVE:
            return other is not None and (other.proven in {Outcome.NOT_RECOVERED, Outcome.UNKNOWN} or _expired(other))
        case Due.IF_EXPIRED:
            return other is not None and _expired(other)


def waits_for_nobody(case: RemediationCase) -> bool:
    """Say whether a person orders only what tightens: no lock that another run holds keeps it off (safety rule 8)."""
    return case.asked is not None and all(one.action in TIGHTENERS for one in case.plan.actions)


def lock_words(lease: Lease) -> str:
    """Say what the ledger has to tell of the lock: nothing where both were taken."""
    if not lease.taken:
        return f"held by {lease.holder}; what a person tightens does not wait for it"
    return f"this host's alone: {lease.alone}" if lease.alone else ""


def evidence_first(case: RemediationCase) -> bool:
    """Say whether the evidence is kept before acting (safety rule 9); what a person tightens is urgent."""
    return not waits_for_nobody(case) and any(worth_trying(one) for one in case.plan.actions)


def needs_proof(result: ActionResult) -> bool:
    """Say whether the effect of an action has to be proven (safety rule 10)."""
    return result.outcome is Outcome.DONE and result.action in PROVEN_AFTERWARDS


def proven_with_others(result: ActionResult) -> bool:
    """Say whether an effect is proven after all else that is due: one class's re-route does not wait for another's."""
    return needs_proof(result) and result.action is Action.REROUTE_ORDERS and result.recovery is None


def must_stop(result: ActionResult) -> bool:
    """Say whether only pausing may follow: an end that nobody knows, or an action that did not help.

    What tightens and did not arrive keeps nothing else off: a hung service takes no pause, and needs its restart.
    """
    lost = result.proven is Outcome.UNKNOWN and result.action not in TIGHTENERS
    return lost or result.proven is Outcome.NOT_RECOVERED


def may_follow(planned: PlannedAction, results: Sequence[ActionResult]) -> bool:
    """Say whether an action may still be done after what happened so far in this run."""
    return planned.action is Action.PAUSE_STRATEGIES or not any(must_stop(one) for one in results)


def input_is_back(results: Sequence[ActionResult], waiting: Sequence[PlannedAction]) -> bool:
    """Say whether the action before has made the service answer, and something waits for what only it can tell."""
    recovered = bool(results) and results[-1].proven is Outcome.RECOVERED
    return recovered and any(lacks_input(one) for one in waiting)


def lacks_input(planned: PlannedAction) -> bool:
    """Say whether a guard of an action could not decide, since nobody knows what it needs, or what is in force."""
    return planned.verdict.code in {GuardCode.INPUT_UNKNOWN, GuardCode.BLIND}


def sum_up(
    case: RemediationCase, results: tuple[ActionResult, ...], snapshot: EvidenceSnapshot | None
) -> RemediationResult:
    """Say what the remediation came to: the worst end of what was tried, else the first reason against trying."""
    tried = [one for one in results if one.outcome is not Outcome.REFUSED]
    decides = next((one for word in _WORST_FIRST for one in tried if one.proven is word), None) or _refusal(results)
    if decides is None:
        return RemediationResult(outcome=Outcome.REFUSED, detail="no action was due", plan=case.plan)
    return RemediationResult(
        outcome=decides.proven,
        detail=decides.recovery.detail if decides.recovery else decides.detail,
        code=decides.code,
        plan=case.plan,
        actions=results,
        snapshot=snapshot,
        approval=case.approval,
    )


def blocked(plan: Plan, lease: Lease) -> RemediationResult:
    """Sum up a remediation that could not begin, since another run holds the service's lock (safety rule 3)."""
    detail = f"blocked by {lease.holder}"
    return RemediationResult(outcome=Outcome.REFUSED, code=GuardCode.LOCK_HELD, detail=detail, plan=plan)


def not_tried(planned: PlannedAction) -> ActionResult:
    return ActionResult(
        planned=planned, outcome=Outcome.REFUSED, code=planned.verdict.code, detail=planned.verdict.detail
    )


def _refusal(results: tuple[ActionResult, ...]) -> ActionResult | None:
    return results[0] if results else None


def _expired(result: ActionResult) -> bool:
    return result.code is GuardCode.APPROVAL_EXPIRED


_WORST_FIRST = (Outcome.UNKNOWN, Outcome.NOT_RECOVERED, Outcome.RECOVERED, Outcome.DONE)


def ends_incident(planned: PlannedAction) -> bool:
    """Say whether a proven effect ends the incident: not where new orders were only re-routed."""
    return planned.action is not Action.REROUTE_ORDERS


def worth_trying(planned: PlannedAction) -> bool:
    """Say whether an action may be allowed by now: orders may have proven themselves, and a person answered."""
    return planned.verdict.allowed or planned.verdict.code in {
        GuardCode.APPROVAL_NEEDED,
        GuardCode.ORDERS_NOT_PROVEN,
    }
