"""The guards before a restart, each one rule of the product's conscience, pure, with the clock passed in."""

from datetime import datetime, timedelta

from tasks.model.diagnosis import Confidence, Diagnosis, Finding
from tasks.model.incident import Action
from tasks.model.limits import RestartLimits
from tasks.model.modes import Mode
from tasks.model.values import Value
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.action_history import ActionHistory

INEFFECTIVE_LIMIT_COUNT = 2


class RestartCase(Value):
    """All that the guards of a restart look at. Units: `late_s` in seconds."""

    finding: Finding
    diagnosis: Diagnosis
    mode: Mode
    approved: bool
    late_s: float
    late_after_s: float
    history: ActionHistory
    limits: RestartLimits


def may_restart(case: RestartCase, now: datetime) -> Verdict:
    """Say whether one automatic restart may go on: the first guard that forbids it decides.

    Runbook: §2.1 Restart if hung.
    Steps:
        1. confirmed, and not blind
        2. no shared cause
        3. not late
        4. nothing half done, and restarts have helped
        5. budget left
        6. mode, or a person's approval
    """
    verdicts = (
        confirmed(case.finding),
        no_shared_cause(case.diagnosis),
        not_late(case.late_s, case.late_after_s),
        nothing_half_done(case.history),
        restarts_help(case, now),
        restart_budget(case, now),
        mode_allows(case.mode, approved=case.approved),
    )
    return next((verdict for verdict in verdicts if not verdict.allowed), verdicts[-2])


def confirmed(finding: Finding) -> Verdict:
    """Act only on a confirmed cause (safety rules 1 and 2)."""
    if finding.confidence is Confidence.CONFIRMED:
        return Verdict.yes(f"cause={finding.cause} confirmed")
    return Verdict.no(
        GuardCode.NOT_CONFIRMED, f"expected a confirmed cause was {finding.confidence} cause={finding.cause}"
    )


def no_shared_cause(diagnosis: Diagnosis) -> Verdict:
    """Restart nothing when two or more gateways are sick: they point to a shared cause (safety rule 6)."""
    sick = sorted({gateway for finding in diagnosis.findings for gateway in finding.gateways})
    if len(sick) >= 2:
        return Verdict.no(GuardCode.SHARED_CAUSE, f"expected at most 1 sick gateway was {len(sick)}: {', '.join(sick)}")
    return Verdict.yes(f"sick_gateways={len(sick)}")


def not_late(late_s: float, late_after_s: float) -> Verdict:
    """Never act in a run that started long after its time (safety rule 11)."""
    if late_s > late_after_s:
        return Verdict.no(GuardCode.RUN_LATE, f"expected a start within {late_after_s:g} s was late_s={late_s:.0f}")
    return Verdict.yes(f"late_s={late_s:.0f}")


def nothing_half_done(history: ActionHistory) -> Verdict:
    """Stop at an action that was begun and never finished: it goes to a person (safety rule 4)."""
    stuck = history.half_done
    if stuck:
        return Verdict.no(
            GuardCode.HALF_DONE_ACTION,
            f"action={stuck[0].action} key={stuck[0].key} began at {stuck[0].started_at.isoformat()} "
            "and its end is not known; look at the service, then `runbook rearm`",
        )
    return Verdict.yes("nothing half done")


def restarts_help(case: RestartCase, now: datetime) -> Verdict:
    """Stop after two actions in a day that did not help (safety rule 10): what is left is for tier 2."""
    in_vain = case.history.in_vain_since(now - timedelta(days=1))
    if in_vain >= INEFFECTIVE_LIMIT_COUNT:
        return Verdict.no(
            GuardCode.RESTART_INEFFECTIVE,
            f"ineffective_restarts={in_vain} limit={INEFFECTIVE_LIMIT_COUNT} in a day; re-arm by hand",
        )
    return Verdict.yes(f"ineffective_restarts={in_vain}")


def restart_budget(case: RestartCase, now: datetime) -> Verdict:
    """Say whether one more automatic restart is within the budget, counted from the ledger (safety rule 4)."""
    limits = case.limits
    in_window = case.history.count_since(Action.RESTART_SERVICE, now - timedelta(seconds=limits.window_s))
    in_day = case.history.count_since(Action.RESTART_SERVICE, now - timedelta(days=1))
    if in_window >= limits.per_window_count or in_day >= limits.per_day_count:
        return Verdict.no(
            GuardCode.RESTART_BUDGET_SPENT,
            f"restarts={in_window} limit={limits.per_window_count} window_s={limits.window_s:.0f} "
            f"restarts_in_day={in_day} limit_in_day={limits.per_day_count}; re-arm by hand",
        )
    left = min(limits.per_window_count - in_window, limits.per_day_count - in_day)
    return Verdict.yes(f"RESTARTS_LEFT: left={left}")


def mode_allows(mode: Mode, *, approved: bool) -> Verdict:
    """Hold every action against the one switch (safety rule 12)."""
    match mode:
        case Mode.ACT:
            return Verdict.yes("mode=act")
        case Mode.PROPOSE if approved:
            return Verdict.yes("mode=propose, approved by a person")
        case Mode.PROPOSE:
            return Verdict.no(GuardCode.APPROVAL_NEEDED, "mode=propose; a person must approve")
        case Mode.OBSERVE:
            return Verdict.no(GuardCode.MODE_FORBIDS, "mode=observe; `runbook mode act` lets it act")
