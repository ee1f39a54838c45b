"""What people read before anything is done: the tier of each new cause, and the desk of all that is degraded."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence.evidence import Context, Evidence
from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.message_keys import AT_RISK, OPENED, about_of, told_now
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.incidents.tiers import tier_of, tiers_above
from tasks.rules.messages.desk import affected_classes, desk_clock, desk_status
from tasks.rules.messages.templates import (
    as_one,
    capitalized,
    desk_notice,
    ending,
    escalation_text,
    failing,
    failing_since,
    how_to_acknowledge,
    incident_failing,
    message_of,
    summary_of,
)
from tasks.rules.remediation.planning.plan_markdown import plan_lines


def opening_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is sent before anything is done: to the tier of each new cause, and one notice to the desk.

    Runbook: §3 Escalation matrix, §4.1, §4.2.
    Errors: none; while a maintenance window is open nobody is paged, nor for what planned work alone concerns.
    """
    context = story.evidence.context
    if context.maintenance:
        return ()
    found = {finding.cause: finding for finding in story.diagnosis.findings}
    causes = [
        (incident, found[cause]) for incident in story.incidents.open for cause in incident.causes if cause in found
    ]
    # Of an order without an outcome nobody knows that it is of the planned work: that page is never held.
    held = [(incident, one) for incident, one in causes if is_planned(one, context.planned)]
    causes = [one for one in causes if one not in held]
    pages = [message for incident, finding in causes for message in _opening(incident, finding, story)]
    pages += [message for incident, finding in held for message in _at_risk(incident, finding, story)]
    stuck = [_half_done(incident, context.mode) for incident in story.incidents.half_done]
    told = {key for incident in (*story.incidents.open, *story.incidents.half_done) for key in incident.told}
    return tuple(one for one in (*pages, *_desk(causes, story), *stuck) if one.key not in told)


def unproven_orders_count(evidence: Evidence) -> float:
    """Count the orders that had no proven outcome in every observation of the run; none where nobody can say."""
    counts = [one.metrics.orders_unknown_count for one in evidence.observations]
    return min((count or 0.0 for count in counts), default=0.0)


def _opening(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    context = story.evidence.context
    detail = f"Ruled out: {'; '.join(finding.ruled_out)}." if finding.ruled_out else ""
    return (
        message_of(incident, finding.tier, OPENED, _tier_text(incident, finding, story), detail),
        *_wider(incident, finding, context),
        *_at_risk(incident, finding, story),
        *_wild_strategy(incident, finding, story),
    )


def _desk(causes: list[tuple[IncidentState, Finding]], story: TriageStory) -> Iterable[Message]:
    """Write one notice for all that is degraded, however many incidents it opened; what was sent is not sent again."""
    new = {
        message.key: (message, name, incident, finding)
        for incident, finding in causes
        for name in affected_classes(finding, story.diagnosis, story.evidence)
        if (message := message_of(incident, Audience.DESK, f"desk-{name}", "")).key not in incident.told
    }
    names = sorted({name for _, name, _, _ in new.values()})
    broken = dict.fromkeys(incident_failing(incident, finding) for _, _, incident, finding in new.values())
    ends = dict.fromkeys(ending(incident, story.evidence.context.mode) for _, _, incident, _ in new.values())
    detail = "\n".join((*(f"{one}." for one in broken), *desk_status(story.evidence), *ends))
    return as_one([message for message, _, _, _ in new.values()], desk_notice(*names), detail)


def _wild_strategy(incident: IncidentState, finding: Finding, story: TriageStory) -> Iterable[Message]:
    if finding.cause is Cause.CLIENT_MISBEHAVIOUR:
        detail = "\n".join((*desk_status(story.evidence), ending(incident, story.evidence.context.mode)))
        text = f"{capitalized('; '.join(finding.because))}. Please pause it."
        yield message_of(incident, Audience.DESK, "strategies", text, detail)


def _wider(incident: IncidentState, finding: Finding, context: Context) -> tuple[Message, ...]:
    """Notify the tier of each gateway that has come to those that the incident began with."""
    template, todo = _template(incident, finding, context), _todo(incident, context)
    return tuple(
        message_of(incident, finding.tier, f"also-{name}", f"{template}\nIt has spread to {name}. {todo}")
        for name in finding.gateways
        if incident.gateways and name not in incident.gateways
    )


def _at_risk(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    """Go up one tier at once, and once, where orders are out whose outcome nobody can prove."""
    above, context = tiers_above(tier_of(incident.tier)), story.evidence.context
    count = unproven_orders_count(story.evidence)
    if not above or not count or any(about_of(key, incident.incident_id) == AT_RISK for key in told_now(incident)):
        return ()
    orders = "1 order has" if count == 1 else f"{count:.0f} orders have"
    text = (
        f"{_template(incident, finding, context)}\n{orders} no proven outcome. Never resend: ask the venue. "
        f"To list them: `runbook inspect orders --unproven`. {_todo(incident, context)}"
    )
    return (message_of(incident, above[0], AT_RISK, text),)


def _planned(incident: IncidentState, story: TriageStory) -> str:
    """Say what is meant to be done about this incident, and what may not, before anything is done."""
    planned = story.plan.actions if story.plan else ()
    lines = plan_lines(tuple(one for one in planned if one.incident_id == incident.incident_id), brief=True)
    return "Plan:\n" + "\n".join(lines) + "\n" if lines else ""


def _half_done(incident: IncidentState, mode: Mode) -> Message:
    begun = [one for one in incident.actions if one.is_half_done]
    what = ", ".join(f"{one.action.replace('_', ' ')} at {desk_clock(one.started_at)}" for one in begun)
    text = (
        f"{incident.service}: an action began and never reported its end: {what}. "
        "Check the service and its orders of unknown outcome, then `runbook rearm --reason …`. "
        f"The automation will not repeat it. {ending(incident, mode)}"
    )
    return message_of(incident, Audience.TIER_2, f"half-done-{begun[-1].key if begun else ''}", text)


def _tier_text(incident: IncidentState, finding: Finding, story: TriageStory) -> str:
    """Say what is broken and since when, what will be done, what to do, and then why."""
    context, planned = story.evidence.context, _planned(incident, story)
    end = f"{finding.section}, {finding.confidence}. {ending(incident, context.mode)}"
    if finding.tier is Audience.TIER_1:
        todo = f"{how_to_acknowledge(incident)}\n{planned}"
        broken = failing_since(finding, incident.service, _began_at(incident, finding, story))
        return f"{broken}. {todo}Why: {'; '.join(finding.because)}.\n{end}"
    broken = failing(finding, context.request.service)
    return f"{_template(incident, finding, context)}\n{broken}. {how_to_acknowledge(incident)}\n{planned}{end}"


def _began_at(incident: IncidentState, finding: Finding, story: TriageStory) -> datetime:
    """Say since when it is broken: since the first of the checks that confirmed it, not since we wrote it down."""
    opened_at = incident.reopened_at or incident.opened_at
    if finding.confidence is not Confidence.CONFIRMED:
        return opened_at
    return min(opened_at, story.evidence.checked_since)


def _template(incident: IncidentState, finding: Finding, context: Context) -> str:
    return escalation_text(incident.opened_at, summary_of(finding), context.desk_time_zone)


def _todo(incident: IncidentState, context: Context) -> str:
    return f"{how_to_acknowledge(incident)} {ending(incident, context.mode)}"
