"""The words that people are told. The two templates of §4 are the desk's own and are kept to the letter."""

from collections.abc import Sequence

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.incident import IncidentState, Outcome
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.model.orders import AssetClass
from tasks.model.plan import Plan
from tasks.model.report import TriageStory
from tasks.rules.message_parts import desk_notice, escalation_text, head, message_of, summary_of
from tasks.rules.planning.markdown import plan_lines
from tasks.rules.remediation_messages import remediation_messages
from tasks.rules.times import utc_text

TROUBLED_ALL = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE})


def opening_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told before anything is done: the tier of each new cause, and the desk for each degraded class.

    Runbook: §3 Escalation matrix, §4.1, §4.2.
    """
    found = {finding.cause: finding for finding in story.diagnosis.findings}
    routed = sorted({order.asset_class for order in story.evidence.latest.orders})
    mode = story.evidence.context.mode
    opening = tuple(
        message
        for incident in story.incidents.open
        for cause in incident.causes
        if cause in found
        for message in _opening(incident, found[cause], mode, routed, story.plan)
        if message.key not in incident.told
    )
    stuck = tuple((incident, _half_done(incident, mode)) for incident in story.incidents.half_done)
    return (*opening, *(message for incident, message in stuck if message.key not in incident.told))


def closing_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told afterwards: what the remediation came to, and which incidents are over.

    Runbook: §3.1, §3.2.
    """
    mode = story.evidence.context.mode
    closed = tuple(_closed(incident, mode) for incident in story.incidents.closed)
    return (*closed, *remediation_messages(story))


def _opening(
    incident: IncidentState, finding: Finding, mode: Mode, routed: Sequence[AssetClass], plan: Plan | None
) -> tuple[Message, ...]:
    affected = routed if finding.cause in TROUBLED_ALL else finding.asset_classes
    desk = tuple(message_of(incident, Audience.DESK, f"desk-{name}", desk_notice(name)) for name in affected)
    return (
        message_of(
            incident, finding.tier, "opened", f"{_tier_text(incident, finding, mode)}{_planned(incident, plan)}"
        ),
        *desk,
    )


def _planned(incident: IncidentState, plan: Plan | None) -> str:
    """Say what is meant to be done about this incident, and what may not, before anything is done."""
    mine = tuple(one for one in plan.actions if one.incident_id == incident.incident_id) if plan else ()
    lines = plan_lines(mine)
    return "\nPlan:\n" + "\n".join(lines) if lines else ""


def _half_done(incident: IncidentState, mode: Mode) -> Message:
    begun = [one for one in incident.actions if one.finished_at is None or one.outcome == Outcome.UNKNOWN]
    what = ", ".join(f"{one.action} of {utc_text(one.started_at)}" for one in begun)
    text = (
        f"{head(incident, mode)} An action was begun and its end is not known: {what}. The automation will not "
        "repeat it. Look at the service and at its unknown orders, then `runbook rearm --reason …`."
    )
    return message_of(incident, Audience.TIER_2, f"half-done-{begun[-1].key if begun else ''}", text)


def _causes(incident: IncidentState) -> str:
    return ", ".join(cause.value.replace("_", " ") for cause in incident.causes) or "its trouble"


def _closed(incident: IncidentState, mode: Mode) -> Message:
    return message_of(
        incident, Audience.TIER_1, "closed", f"{head(incident, mode)} Closed: {_causes(incident)} no longer shows."
    )


def _tier_text(incident: IncidentState, finding: Finding, mode: Mode) -> str:
    detail = f"{head(incident, mode)} Cause: {finding.cause} ({finding.confidence}), {finding.section}."
    ruled_out = f" Ruled out: {'; '.join(finding.ruled_out)}." if finding.ruled_out else ""
    if finding.tier is Audience.TIER_1:
        return f"{detail} Because: {'; '.join(finding.because)}.{ruled_out}"
    return f"{escalation_text(incident.opened_at, summary_of(finding))}\n{detail}{ruled_out}"
