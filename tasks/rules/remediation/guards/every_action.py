"""The guards that hold for nearly every action."""

import re
from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Confidence, Kind
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import WELL_KNOWN, AssetClass, classes_in
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.remediation.plan import ApprovalAnswer, PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.in_force.restrictions import set_words
from tasks.rules.incidents.planned_windows import concerned, is_planned, planned_words
from tasks.rules.messages.templates import command_line
from tasks.rules.remediation.guards.back_off import never_helped
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.order_rate import orders_per_min
from tasks.rules.service.control_action import INSTEAD, key_of

INEFFECTIVE_LIMIT_COUNT = 2
DAY = timedelta(days=1)


def confirmed(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Act only on a confirmed cause (safety rules 1 and 2); a person's own order needs none."""
    if inputs.asked is not None:
        return Verdict.yes(f"asked by {inputs.asked.by}")
    found = planned.finding
    if found is not None and found.confidence is Confidence.CONFIRMED:
        return Verdict.yes(f"cause={found.cause} confirmed")
    was = f"{found.confidence} cause={found.cause}" if found else "no cause"
    return Verdict.no(GuardCode.NOT_CONFIRMED, f"expected a confirmed cause, found {was}")


def not_late(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Never act in a run that started long after its time (safety rule 11)."""
    late_s, limit_s = inputs.evidence.context.late_s, inputs.capabilities.late_after_s
    if late_s > limit_s:
        detail = f"expected a start within {limit_s:g} s of its time, found it {late_s:.0f} s late; the next run acts"
        return Verdict.no(GuardCode.RUN_LATE, detail)
    return Verdict.yes()


def no_maintenance(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Keep still while people work on the service; a person's own order is their work."""
    window = inputs.evidence.context.maintenance
    if window is not None and inputs.asked is None:
        until = window.until.isoformat(timespec="seconds")
        return Verdict.no(GuardCode.MAINTENANCE, f"maintenance until {until}: {window.reason or 'no reason given'}")
    if inputs.asked is None and _concerns_planned(planned, inputs):
        context = inputs.evidence.context
        return Verdict.no(GuardCode.MAINTENANCE, planned_words(context.planned, context.request.service).rstrip("."))
    return Verdict.yes()


def _concerns_planned(planned: PlannedAction, inputs: GuardInputs) -> bool:
    """Say whether an action touches what planned work concerns: by its cause, gateway, class or route."""
    windows, target = inputs.evidence.context.planned, planned.target
    if planned.finding is not None and is_planned(planned.finding, windows):
        return True
    classes = (target.asset_class,) if target.asset_class else ()
    routing = inputs.latest.routing
    route = routing.route(target.asset_class) if routing and target.asset_class else None
    gateways = {one for one in (target.gateway, route.gateway if route else None) if one}
    return concerned((), classes, windows) or any(concerned((one,), classes, windows) for one in gateways)


def nothing_under_way(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Leave a service alone that another run acts on: what it began is not half done, it is being done (rule 3)."""
    if inputs.acting:
        return Verdict.no(GuardCode.LOCK_HELD, f"blocked by {inputs.acting}")
    return Verdict.yes()


def nothing_half_done(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Stop at an action that was begun and never finished: it goes to a person (safety rule 4)."""
    stuck = inputs.history.half_done
    if stuck:
        return Verdict.no(
            GuardCode.HALF_DONE_ACTION,
            f"action={stuck[0].action} key={stuck[0].key} began at {stuck[0].started_at.isoformat()} "
            "and its end is not known; check the service, then `runbook rearm`",
        )
    return Verdict.yes()


def remediation_helps(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Stop after two actions in a day that did not help (safety rule 10): what is left is for tier 2."""
    in_vain = inputs.history.ineffective_since(inputs.now - DAY)
    if in_vain >= INEFFECTIVE_LIMIT_COUNT:
        return Verdict.no(
            GuardCode.REMEDIATION_INEFFECTIVE,
            f"ineffective_actions={in_vain} limit={INEFFECTIVE_LIMIT_COUNT} in a day; "
            "find the cause, then `runbook rearm`",
        )
    return Verdict.yes()


def not_undone(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Never do again what was done in this incident and is not in force any more: somebody had a reason.

    A restart leaves nothing in force that could be undone; its budget bounds it instead.
    """
    if planned.action is Action.RESTART_SERVICE or inputs.asked is not None:
        return Verdict.yes()
    resumed = _resumed_by(planned, inputs)
    if resumed is not None:
        detail = f"{resumed.name} was resumed {set_words(resumed)} in this incident; only a person pauses it again"
        return Verdict.no(GuardCode.UNDONE_BY_PERSON, detail)
    helped = {Outcome.DONE, Outcome.RECOVERED}
    before = [one for one in inputs.history.actions if one.key == planned.key and one.outcome in helped]
    if before:
        at = before[-1].started_at.isoformat(timespec="seconds")
        detail = f"done at {at} in this incident, and undone since; only a person does it again"
        return Verdict.no(GuardCode.UNDONE_BY_PERSON, detail)
    return Verdict.yes()


def _resumed_by(planned: PlannedAction, inputs: GuardInputs) -> Restriction | None:
    """Find who has let the target of a pause trade again since its incident began: a person, by whatever way."""
    if planned.action is not Action.PAUSE_STRATEGIES or inputs.latest.routing is None:
        return None
    incident = next(
        (one for one in inputs.evidence.context.open_incidents if one.incident_id == planned.incident_id), None
    )
    began_at = (incident.reopened_at or incident.opened_at) if incident else inputs.now
    target = planned.target
    kind, name = (Held.STRATEGY, target.strategy) if target.strategy else (Held.TRADING, target.asset_class)
    lifted = (one for one in inputs.latest.routing.lifted if (one.kind, one.name) == (kind, name))
    return next((one for one in lifted if not one.by_automation and one.set_at and one.set_at >= began_at), None)


def effect_proven(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Stop at an action of this incident that was done, and whose run died before it could prove that it helped.

    Its trouble shows still, or nothing would be planned: it did not help, and what is left is for a person. Re-routes
    of one run are proven together, after the last of them: they do not wait for each other.
    """
    since = inputs.planned_at if planned.action is Action.REROUTE_ORDERS else None
    unproven = (one for one in inputs.history.unproven(planned.incident_id) if one.key != planned.key)
    stuck = [one for one in unproven if since is None or one.action != Action.REROUTE_ORDERS or one.started_at < since]
    if stuck:
        return Verdict.no(
            GuardCode.HALF_DONE_ACTION,
            f"action={stuck[0].action} key={stuck[0].key} was done at {stuck[0].started_at.isoformat()} and never "
            "proven, and the symptoms still show; check the service, then `runbook rearm`",
        )
    return Verdict.yes()


def can_control(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Say whether the service's control plane can be used at all; a stranger on its port is never sent its token."""
    if inputs.capabilities.cannot_control:
        return Verdict.no(GuardCode.NOT_AVAILABLE, inputs.capabilities.cannot_control)
    key = key_of(planned.action, planned.target)
    if key is not None and inputs.capabilities.not_described >= {key, INSTEAD.get(key, key)}:
        detail = f"expected {key} in the control table of this service, found none; describe it, or do it yourself"
        return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
    stranger = next((one for one in inputs.diagnosis.findings if Kind.PORT in one.kinds and not one.instances), None)
    if stranger is not None:
        told = "; ".join(stranger.because)
        detail = f"{told}; nothing is sent there, and a service that is gone sends no orders"
        return Verdict.no(GuardCode.NOT_AVAILABLE, detail)
    return Verdict.yes()


def mode_allows(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Hold every action against the one switch, and against what a person said (safety rule 12)."""
    mode = inputs.evidence.context.mode
    if mode is Mode.OBSERVE:
        return Verdict.no(GuardCode.MODE_FORBIDS, "mode=observe; `runbook mode act` lets it act")
    if inputs.asked is not None:
        return Verdict.yes(f"mode={mode}")
    if mode is Mode.ACT and not needs_approval(planned, inputs):
        return Verdict.yes("mode=act")
    return answered(planned, inputs)


def answered(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Read a person's answer to the plan; without one the safe branch is to pause."""
    approval = inputs.approval
    if approval is None:
        return _not_answered(planned, inputs)
    match approval.answer:
        case ApprovalAnswer.APPROVED:
            return Verdict.yes(approval.words)
        case ApprovalAnswer.REJECTED:
            return Verdict.no(GuardCode.REJECTED_BY_PERSON, approval.words)
        case ApprovalAnswer.EXPIRED if planned.action is Action.PAUSE_STRATEGIES:
            return Verdict.yes("nobody answered in time: pausing is the safe branch")
        case ApprovalAnswer.EXPIRED:
            return Verdict.no(GuardCode.APPROVAL_EXPIRED, f"{approval.words}; a person has to act")


def _not_answered(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Ask a person, unless one has said no to this very action in this incident: that holds until a re-arm."""
    said = inputs.history.rejected.get(planned.key)
    if said is not None:
        detail = f"{said}; only a person does it, or a run after `runbook rearm`"
        return Verdict.no(GuardCode.REJECTED_BY_PERSON, detail)
    command = command_line("runbook", "approve", planned.incident_id)
    why = never_helped(planned, inputs)
    asks = f"{f'{why}; ' if why else ''}a person must approve: `{command}`, or the form in the Prefect UI"
    return Verdict.no(GuardCode.APPROVAL_NEEDED, f"mode={inputs.evidence.context.mode}; {asks}")


def needs_approval(planned: PlannedAction, inputs: GuardInputs) -> bool:
    """Say whether an action is so large, or has helped so little, that a person is asked even in mode *act*."""
    if never_helped(planned, inputs):
        return True
    limit = inputs.capabilities.remediation.approval_above_orders_per_min
    large = {Action.REROUTE_ORDERS, Action.ROLL_BACK_RELEASE}
    if limit is None or planned.action not in large:
        return False
    rate = orders_per_min(inputs.evidence, planned.target.asset_class)
    return rate is None or rate > limit


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+@-]{0,99}")


def target_is_named(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Refuse an action that lacks what it is for, or names it by what is no name, before anything of it is recorded.

    What would only be found out midway would leave an action half done, which blocks all others.
    """
    target = planned.target
    lacks = _lacks(planned.action, target)
    if lacks:
        return Verdict.no(GuardCode.BAD_TARGET, f"expected {lacks}, found none; name it")
    names = {
        "gateway": target.gateway,
        "release": target.release,
        "feature": target.feature,
        "strategy": target.strategy,
        "table": target.table_hash,
        "instance": target.instance,
    }
    wrong = next((kind for kind, name in names.items() if name is not None and not _NAME.fullmatch(name)), None)
    if wrong:
        was = f"{names[wrong]:.60}".encode("ascii", "backslashreplace").decode()
        return Verdict.no(GuardCode.BAD_TARGET, f"expected a {wrong} of letters, digits, . _ : + @ -, found {was!r}")
    known = _known_classes(planned, inputs)
    if target.asset_class is not None and target.asset_class not in known:
        detail = f"expected one of {', '.join(known)}, found {target.asset_class}; describe it in asset_classes"
        return Verdict.no(GuardCode.BAD_TARGET, detail)
    return Verdict.yes()


def _known_classes(planned: PlannedAction, inputs: GuardInputs) -> tuple[AssetClass, ...]:
    """List the classes that anybody knows of: a halt of a slip of the pen would stop nothing, and read as done."""
    context, latest = inputs.evidence.context, inputs.latest
    routed = [one.asset_class for one in latest.routing.routes] if latest.routing else []
    seen = [*routed, *(order.asset_class for order in latest.orders)]
    gateways = (one.asset_classes for one in context.known_gateways)
    before = (one.routes for one in context.history)
    found = planned.finding.asset_classes if planned.finding else ()
    return classes_in(WELL_KNOWN, context.known_classes, seen, found, *gateways, *before)


def _lacks(action: Action, target: Target) -> str:
    """Say what an action cannot do without; the guards of a rollback and a restored table say it themselves."""
    match action:
        case Action.PAUSE_STRATEGIES if target.asset_class is None and target.strategy is None:
            return "an asset class or a strategy"
        case Action.RESUME if target.asset_class is None and target.strategy is None and target.gateway is None:
            return "an asset class, a strategy or a gateway"
        case Action.MARK_DEGRADED if target.gateway is None:
            return "a gateway"
        case Action.DISABLE_FEATURE if target.feature is None:
            return "a feature"
        case Action.REROUTE_ORDERS if target.asset_class is None:
            return "an asset class"
        case _:
            return ""
