"""The words that people are told. The two templates of §4 are the desk's own and are kept to the letter."""

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.evidence import Context, Evidence
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.model.report import TriageStory
from tasks.rules.affected_classes import affected_classes
from tasks.rules.desk_status import desk_status
from tasks.rules.escalation_messages import how_to_take
from tasks.rules.message_keys import AT_RISK, OPENED, about_of, told_now
from tasks.rules.planning.markdown import plan_lines
from tasks.rules.tiers import tier_of, tiers_above
from tasks.rules.times import utc_text
from tasks.rules.wording import desk_notice, escalation_text, head, message_of, summary_of


def opening_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told before anything is done: the tier of each new cause, and the desk for each degraded class.

    Runbook: §3 Escalation matrix, §4.1, §4.2.
    Errors: none; while a maintenance window is open nobody is paged.
    """
    if story.evidence.context.maintenance:
        return ()
    found = {finding.cause: finding for finding in story.diagnosis.findings}
    opening = tuple(
        message
        for incident in story.incidents.open
        for cause in incident.causes
        if cause in found
        for message in _opening(incident, found[cause], story)
        if message.key not in incident.told
    )
    mode = story.evidence.context.mode
    stuck = tuple((incident, _half_done(incident, mode)) for incident in story.incidents.half_done)
    return (*opening, *(message for incident, message in stuck if message.key not in incident.told))


def unproven_orders_count(evidence: Evidence) -> float:
    """Count the orders that were out without a proven outcome in every look of the run; none where nobody can say."""
    counts = [one.metrics.orders_unknown_count for one in evidence.observations]
    return min((count or 0.0 for count in counts), default=0.0)


def _opening(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    text = f"{_tier_text(incident, finding, story.evidence.context)}{_planned(incident, story)}"
    return (
        message_of(incident, finding.tier, OPENED, text),
        *_wider(incident, finding, story.evidence.context),
        *_desk(incident, finding, story),
        *_at_risk(incident, finding, story),
    )


def _desk(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    detail = "\n".join((head(incident, story.evidence.context.mode), *desk_status(story.evidence)))
    wild = finding.cause is Cause.CLIENT_MISBEHAVIOUR
    text = f"{'; '.join(finding.because)}. Please pause it."
    return (
        *(
            message_of(incident, Audience.DESK, f"desk-{name}", desk_notice(name), detail)
            for name in affected_classes(finding, story.diagnosis, story.evidence)
        ),
        *((message_of(incident, Audience.DESK, "strategies", text, detail),) if wild else ()),
    )


def _wider(incident: IncidentState, finding: Finding, context: Context) -> tuple[Message, ...]:
    """Tell the tier of each gateway that has come to those that the incident began with."""
    text = f"{_technical(incident, finding, context)} It has grown"
    return tuple(
        message_of(incident, finding.tier, f"also-{name}", f"{text}: {name}, too. {how_to_take(incident)}")
        for name in finding.gateways
        if incident.gateways and name not in incident.gateways
    )


def _at_risk(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    """Go up one tier at once, and once, where orders are out whose outcome nobody can prove."""
    above, context = tiers_above(tier_of(incident.tier)), story.evidence.context
    count = unproven_orders_count(story.evidence)
    if not above or not count or any(about_of(key, incident.incident_id) == AT_RISK for key in told_now(incident)):
        return ()
    text = (
        f"{_technical(incident, finding, context)} {count:.0f} orders are out whose outcome is not proven. They are "
        f"never resent; `runbook look orders --unproven` names them, the venue tells. {how_to_take(incident)}"
    )
    return (message_of(incident, above[0], AT_RISK, text),)


def _planned(incident: IncidentState, story: TriageStory) -> str:
    """Say what is meant to be done about this incident, and what may not, before anything is done."""
    planned = story.plan.actions if story.plan else ()
    lines = plan_lines(tuple(one for one in planned if one.incident_id == incident.incident_id))
    return "\nPlan:\n" + "\n".join(lines) if lines else ""


def _half_done(incident: IncidentState, mode: Mode) -> Message:
    begun = [one for one in incident.actions if one.is_half_done]
    what = ", ".join(f"{one.action} of {utc_text(one.started_at)}" for one in begun)
    text = (
        f"{head(incident, mode)} An action was begun and its end is not known: {what}. The automation will not "
        "repeat it. Look at the service and at its unknown orders, then `runbook rearm --reason …`."
    )
    return message_of(incident, Audience.TIER_2, f"half-done-{begun[-1].key if begun else ''}", text)


def _tier_text(incident: IncidentState, finding: Finding, context: Context) -> str:
    ruled_out = f" Ruled out: {'; '.join(finding.ruled_out)}." if finding.ruled_out else ""
    cause = f"Cause: {finding.cause} ({finding.confidence}), {finding.section}."
    if finding.tier is Audience.TIER_1:
        because = f" Because: {'; '.join(finding.because)}."
        return f"{head(incident, context.mode)} {cause}{because}{ruled_out} {how_to_take(incident)}"
    return f"{_technical(incident, finding, context)} {cause}{ruled_out} {how_to_take(incident)}"


def _technical(incident: IncidentState, finding: Finding, context: Context) -> str:
    """Write §4.2 to the letter, then the head of the detail in a line of its own."""
    template = escalation_text(incident.opened_at, summary_of(finding), context.desk_time_zone)
    return f"{template}\n{head(incident, context.mode)}"
