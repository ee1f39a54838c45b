"""The guards that hold for nearly every action."""

from datetime import timedelta

from tasks.model.diagnosis import Confidence, Kind
from tasks.model.in_force import Held, Restriction
from tasks.model.incident import Action, Outcome
from tasks.model.modes import Mode
from tasks.model.plan import Answer, PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.facts import Facts
from tasks.rules.guards.order_rate import orders_per_min
from tasks.rules.in_force import set_words
from tasks.rules.wording import command_line

INEFFECTIVE_LIMIT_COUNT = 2
DAY = timedelta(days=1)


def confirmed(planned: PlannedAction, facts: Facts) -> Verdict:
    """Act only on a confirmed cause (safety rules 1 and 2); a person's own order needs none."""
    if facts.asked is not None:
        return Verdict.yes(f"asked by {facts.asked.by}")
    found = planned.finding
    if found is not None and found.confidence is Confidence.CONFIRMED:
        return Verdict.yes(f"cause={found.cause} confirmed")
    was = f"{found.confidence} cause={found.cause}" if found else "no cause"
    return Verdict.no(GuardCode.NOT_CONFIRMED, f"expected a confirmed cause was {was}")


def not_late(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Never act in a run that started long after its time (safety rule 11)."""
    late_s, limit_s = facts.evidence.context.late_s, facts.setup.late_after_s
    if late_s > limit_s:
        return Verdict.no(GuardCode.RUN_LATE, f"expected a start within {limit_s:g} s was late_s={late_s:.0f}")
    return Verdict.yes()


def no_maintenance(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Keep still while people work on the service; a person's own order is their work."""
    window = facts.evidence.context.maintenance
    if window is not None and facts.asked is None:
        until = window.until.isoformat(timespec="seconds")
        return Verdict.no(GuardCode.MAINTENANCE, f"maintenance until {until}: {window.reason or 'no reason given'}")
    return Verdict.yes()


def nothing_under_way(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Leave a service alone that another run acts on: what it began is not half done, it is being done (rule 3)."""
    if facts.acting:
        return Verdict.no(GuardCode.LOCK_HELD, f"an action is under way: {facts.acting}")
    return Verdict.yes()


def nothing_half_done(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Stop at an action that was begun and never finished: it goes to a person (safety rule 4)."""
    stuck = facts.history.half_done
    if stuck:
        return Verdict.no(
            GuardCode.HALF_DONE_ACTION,
            f"action={stuck[0].action} key={stuck[0].key} began at {stuck[0].started_at.isoformat()} "
            "and its end is not known; look at the service, then `runbook rearm`",
        )
    return Verdict.yes()


def remediation_helps(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Stop after two actions in a day that did not help (safety rule 10): what is left is for tier 2."""
    in_vain = facts.history.in_vain_since(facts.now - DAY)
    if in_vain >= INEFFECTIVE_LIMIT_COUNT:
        return Verdict.no(
            GuardCode.REMEDIATION_INEFFECTIVE,
            f"ineffective_actions={in_vain} limit={INEFFECTIVE_LIMIT_COUNT} in a day; "
            "find the cause, then `runbook rearm`",
        )
    return Verdict.yes()


def not_undone(planned: PlannedAction, facts: Facts) -> Verdict:
    """Never do again what was done in this incident and is not in force any more: somebody had a reason.

    A restart leaves nothing in force that could be undone; its budget bounds it instead.
    """
    if planned.action is Action.RESTART_SERVICE or facts.asked is not None:
        return Verdict.yes()
    resumed = _resumed_by(planned, facts)
    if resumed is not None:
        detail = f"{resumed.name} was resumed {set_words(resumed)} in this incident; by hand only"
        return Verdict.no(GuardCode.UNDONE_BY_PERSON, detail)
    helped = {Outcome.DONE, Outcome.RECOVERED}
    before = [one for one in facts.history.actions if one.key == planned.key and one.outcome in helped]
    if before:
        at = before[-1].started_at.isoformat(timespec="seconds")
        return Verdict.no(GuardCode.UNDONE_BY_PERSON, f"done at {at} in this incident, and undone since; by hand only")
    return Verdict.yes()


def _resumed_by(planned: PlannedAction, facts: Facts) -> Restriction | None:
    """Find who has let the target of a pause trade again since its incident began: a person, by whatever way."""
    if planned.action is not Action.PAUSE_STRATEGIES or facts.latest.routing is None:
        return None
    incident = next(
        (one for one in facts.evidence.context.open_incidents if one.incident_id == planned.incident_id), None
    )
    began_at = (incident.reopened_at or incident.opened_at) if incident else facts.now
    target = planned.target
    kind, name = (Held.STRATEGY, target.strategy) if target.strategy else (Held.TRADING, target.asset_class)
    lifted = (one for one in facts.latest.routing.lifted if (one.kind, one.name) == (kind, name))
    return next((one for one in lifted if not one.by_automation and one.set_at and one.set_at >= began_at), None)


def effect_proven(planned: PlannedAction, facts: Facts) -> Verdict:
    """Stop at an action of this incident that was done, and whose run died before it could prove that it helped.

    Its trouble shows still, or nothing would be planned: it did not help, and what is left is for a person. Re-routes
    of one run are proven together, after the last of them: they do not wait for each other.
    """
    since = facts.planned_at if planned.action is Action.REROUTE_ORDERS else None
    unproven = (one for one in facts.history.unproven(planned.incident_id) if one.key != planned.key)
    stuck = [one for one in unproven if since is None or one.action != Action.REROUTE_ORDERS or one.started_at < since]
    if stuck:
        return Verdict.no(
            GuardCode.HALF_DONE_ACTION,
            f"action={stuck[0].action} key={stuck[0].key} was done at {stuck[0].started_at.isoformat()} and never "
            "proven, and the trouble still shows; look at the service, then `runbook rearm`",
        )
    return Verdict.yes()


def can_control(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Say whether the service's control plane can be used at all; a stranger on its port is never sent its token."""
    if facts.setup.cannot_control:
        return Verdict.no(GuardCode.NOT_AVAILABLE, facts.setup.cannot_control)
    stranger = next((one for one in facts.diagnosis.findings if Kind.PORT in one.kinds), None)
    if stranger is not None:
        told = "; ".join(stranger.because)
        detail = f"{told}; nothing is sent there, and a service that is gone sends no orders"
        return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
    return Verdict.yes()


def mode_allows(planned: PlannedAction, facts: Facts) -> Verdict:
    """Hold every action against the one switch, and against what a person said (safety rule 12)."""
    mode = facts.evidence.context.mode
    if mode is Mode.OBSERVE:
        return Verdict.no(GuardCode.MODE_FORBIDS, "mode=observe; `runbook mode act` lets it act")
    if facts.asked is not None:
        return Verdict.yes(f"mode={mode}")
    if mode is Mode.ACT and not needs_approval(planned, facts):
        return Verdict.yes("mode=act")
    return answered(planned, facts)


def answered(planned: PlannedAction, facts: Facts) -> Verdict:
    """Read a person's answer to the plan; without one the safe branch is to pause."""
    approval = facts.approval
    if approval is None:
        return _not_answered(planned, facts)
    match approval.answer:
        case Answer.APPROVED:
            return Verdict.yes(approval.words)
        case Answer.REJECTED:
            return Verdict.no(GuardCode.REJECTED_BY_PERSON, approval.words)
        case Answer.EXPIRED if planned.action is Action.PAUSE_STRATEGIES:
            return Verdict.yes("nobody answered in time: the safe branch")
        case Answer.EXPIRED:
            return Verdict.no(GuardCode.APPROVAL_EXPIRED, f"{approval.words}; a person acts by hand")


def _not_answered(planned: PlannedAction, facts: Facts) -> Verdict:
    """Ask a person, unless one has said no to this very action in this incident: that holds until a re-arm."""
    said = facts.history.rejected.get(planned.key)
    if said is not None:
        return Verdict.no(GuardCode.REJECTED_BY_PERSON, f"{said}; by hand only, or after `runbook rearm`")
    command = command_line("runbook", "approve", planned.incident_id)
    asks = f"a person must approve: `{command}`, or the form in the Prefect UI"
    return Verdict.no(GuardCode.APPROVAL_NEEDED, f"mode={facts.evidence.context.mode}; {asks}")


def needs_approval(planned: PlannedAction, facts: Facts) -> bool:
    """Say whether an action is so large that a person is asked even in mode *act*."""
    limit = facts.setup.remediation.approval_above_orders_per_min
    large = {Action.REROUTE_ORDERS, Action.ROLL_BACK_RELEASE}
    if limit is None or planned.action not in large:
        return False
    rate = orders_per_min(facts.evidence, planned.target.asset_class)
    return rate is None or rate > limit
