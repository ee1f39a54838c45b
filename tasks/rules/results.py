"""Sum a remediation up: what was done, and what it came to."""

from tasks.model.incident import Outcome
from tasks.model.remediation import ActionResult, Recovery, RemediationResult, Snapshot
from tasks.model.verdicts import GuardCode


def no_action(code: GuardCode, detail: str) -> RemediationResult:
    """Sum up a remediation that a guard forbade."""
    return RemediationResult(outcome=Outcome.REFUSED, code=code, detail=detail)


def action_result(action: ActionResult, snapshot: Snapshot, recovery: Recovery | None = None) -> RemediationResult:
    """Sum up an action: its effect decides, not its exit code (safety rule 10)."""
    return RemediationResult(
        outcome=recovery.outcome if recovery else action.outcome,
        detail=recovery.detail if recovery else action.detail,
        code=action.code,
        action=action,
        snapshot=snapshot,
        recovery=recovery,
    )
