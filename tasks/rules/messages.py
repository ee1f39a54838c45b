"""The words that people are told. The two templates of §4 are the desk's own and are kept to the letter."""

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.evidence import Context, Evidence
from tasks.model.incident import IncidentState, Outcome
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.model.remediation import RemediationResult
from tasks.model.report import TriageStory
from tasks.model.verdicts import GuardCode
from tasks.rules.affected_classes import affected_classes
from tasks.rules.desk_status import desk_status
from tasks.rules.escalation_messages import how_to_take
from tasks.rules.message_keys import AT_RISK, OPENED
from tasks.rules.plan import remediation_case
from tasks.rules.tiers import tier_of, tiers_above
from tasks.rules.times import utc_text
from tasks.rules.wording import desk_notice, escalation_text, head, message_of, summary_of

# Automation that is at its end, or must not go on, is for the developer lead; a shared cause is for the platform.
REFUSAL_AUDIENCE: dict[GuardCode | None, Audience] = {
    GuardCode.HALF_DONE_ACTION: Audience.TIER_2,
    GuardCode.RESTART_BUDGET_SPENT: Audience.TIER_2,
    GuardCode.RESTART_INEFFECTIVE: Audience.TIER_2,
    GuardCode.NOT_CONFIRMED: Audience.TIER_2,
    GuardCode.NOT_AVAILABLE: Audience.TIER_2,
    GuardCode.SHARED_CAUSE: Audience.TIER_3,
}


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


def closing_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told afterwards: what the remediation came to.

    Runbook: §3.1, §3.2.
    """
    case = remediation_case(story)
    if case is None or story.remediation is None or story.remediation.code is GuardCode.LOCK_HELD:
        # Who holds the lock acts, and tells of it.
        return ()
    incident = next(one for one in story.incidents.open if one.incident_id == case.incident_id)
    outcome = _outcome(incident, case.finding, story.evidence.context.mode, story.remediation)
    return () if outcome.key in incident.told else (outcome,)


def unproven_orders_count(evidence: Evidence) -> float:
    """Count the orders that were out without a proven outcome in every look of the run; none where nobody can say."""
    counts = [one.metrics.orders_unknown_count for one in evidence.observations]
    return min((count or 0.0 for count in counts), default=0.0)


def _opening(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    return (
        message_of(incident, finding.tier, OPENED, _tier_text(incident, finding, story.evidence.context)),
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


def _at_risk(incident: IncidentState, finding: Finding, story: TriageStory) -> tuple[Message, ...]:
    """Go up at once where orders are out whose outcome nobody can prove."""
    above, context = tiers_above(tier_of(incident.tier)), story.evidence.context
    count = unproven_orders_count(story.evidence)
    if not above or not count:
        return ()
    text = (
        f"{_technical(incident, finding, context)} {count:.0f} orders are out whose outcome is not proven. They are "
        f"never resent; `runbook look orders --unproven` names them, the venue tells. {how_to_take(incident)}"
    )
    return (message_of(incident, above[0], AT_RISK, text),)


def _outcome(incident: IncidentState, finding: Finding, mode: Mode, result: RemediationResult) -> Message:
    match result.outcome:
        case Outcome.RECOVERED:
            text = f"{head(incident, mode)} Recovered after {_action(result)}: {result.detail}."
            return message_of(incident, Audience.TIER_1, "recovered", text)
        case Outcome.REFUSED:
            audience = REFUSAL_AUDIENCE.get(result.code, Audience.TIER_1)
            text = f"{head(incident, mode)} No action was taken, {result.code}: {result.detail}."
            return message_of(incident, audience, f"refused-{result.code}", text)
        case Outcome.NOT_RECOVERED | Outcome.UNKNOWN | Outcome.DONE:
            what = f"{_action(result)} did not help ({result.outcome}): {result.detail}"
            text = f"{escalation_text(incident.opened_at, summary_of(finding))}\n{head(incident, mode)} {what}."
            return message_of(incident, Audience.TIER_2, f"escalated-{result.outcome}", text)


def _half_done(incident: IncidentState, mode: Mode) -> Message:
    begun = [one for one in incident.actions if one.finished_at is None or one.outcome == Outcome.UNKNOWN]
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


def _action(result: RemediationResult) -> str:
    return result.action.action.value if result.action else "no action"
