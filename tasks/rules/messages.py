"""The words that people are told. The two templates of §4 are the desk's own and are kept to the letter."""

from collections.abc import Sequence
from datetime import datetime

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.incident import IncidentState, Outcome
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.model.orders import AssetClass
from tasks.model.remediation import RemediationResult
from tasks.model.report import TriageStory
from tasks.model.verdicts import GuardCode
from tasks.rules.plan import remediation_case
from tasks.rules.times import utc_text

DESK_NOTICE = (
    "We are experiencing degraded order routing for [ASSET_CLASS]. Investigating. Orders may be delayed. ETA 15m."
)
TECHNICAL_ESCALATION = (
    "Incident: order-routing health checks failing since [timestamp]. Errors: [summary]. "
    "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
)
# Automation that is at its end, or must not go on, is for the developer lead; a shared cause is for the platform.
REFUSAL_AUDIENCE: dict[GuardCode | None, Audience] = {
    GuardCode.HALF_DONE_ACTION: Audience.TIER_2,
    GuardCode.RESTART_BUDGET_SPENT: Audience.TIER_2,
    GuardCode.RESTART_INEFFECTIVE: Audience.TIER_2,
    GuardCode.NOT_CONFIRMED: Audience.TIER_2,
    GuardCode.NOT_AVAILABLE: Audience.TIER_2,
    GuardCode.SHARED_CAUSE: Audience.TIER_3,
}
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
        for message in _opening(incident, found[cause], mode, routed)
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
    case = remediation_case(story)
    if case is None or story.remediation is None or story.remediation.code is GuardCode.LOCK_HELD:
        # Who holds the lock acts, and tells of it.
        return closed
    incident = next(one for one in story.incidents.open if one.incident_id == case.incident_id)
    outcome = _outcome(incident, case.finding, mode, story.remediation)
    return closed if outcome.key in incident.told else (*closed, outcome)


def _opening(
    incident: IncidentState, finding: Finding, mode: Mode, routed: Sequence[AssetClass]
) -> tuple[Message, ...]:
    affected = routed if finding.cause in TROUBLED_ALL else finding.asset_classes
    desk = tuple(_message(incident, Audience.DESK, f"desk-{name}", desk_notice(name)) for name in affected)
    return (_message(incident, finding.tier, "opened", _tier_text(incident, finding, mode)), *desk)


def _outcome(incident: IncidentState, finding: Finding, mode: Mode, result: RemediationResult) -> Message:
    match result.outcome:
        case Outcome.RECOVERED:
            text = f"{_head(incident, mode)} Recovered after {_action(result)}: {result.detail}."
            return _message(incident, Audience.TIER_1, "recovered", text)
        case Outcome.REFUSED:
            audience = REFUSAL_AUDIENCE.get(result.code, Audience.TIER_1)
            text = f"{_head(incident, mode)} No action was taken, {result.code}: {result.detail}."
            return _message(incident, audience, f"refused-{result.code}", text)
        case Outcome.NOT_RECOVERED | Outcome.UNKNOWN | Outcome.DONE:
            what = f"{_action(result)} did not help ({result.outcome}): {result.detail}"
            text = f"{escalation_text(incident.opened_at, _summary(finding))}\n{_head(incident, mode)} {what}."
            return _message(incident, Audience.TIER_2, f"escalated-{result.outcome}", text)


def _half_done(incident: IncidentState, mode: Mode) -> Message:
    begun = [one for one in incident.actions if one.finished_at is None or one.outcome == Outcome.UNKNOWN]
    what = ", ".join(f"{one.action} of {utc_text(one.started_at)}" for one in begun)
    text = (
        f"{_head(incident, mode)} An action was begun and its end is not known: {what}. The automation will not "
        "repeat it. Look at the service and at its unknown orders, then `runbook rearm --reason …`."
    )
    return _message(incident, Audience.TIER_2, f"half-done-{begun[-1].key if begun else ''}", text)


def _causes(incident: IncidentState) -> str:
    return ", ".join(cause.value.replace("_", " ") for cause in incident.causes) or "its trouble"


def _closed(incident: IncidentState, mode: Mode) -> Message:
    return _message(
        incident, Audience.TIER_1, "closed", f"{_head(incident, mode)} Closed: {_causes(incident)} no longer shows."
    )


def desk_notice(asset_class: str) -> str:
    """Fill the short incident notice (§4.1)."""
    return DESK_NOTICE.replace("[ASSET_CLASS]", asset_class)


def escalation_text(since: datetime, summary: str) -> str:
    """Fill the technical escalation (§4.2); the time is UTC."""
    return TECHNICAL_ESCALATION.replace("[timestamp]", utc_text(since)).replace("[summary]", summary)


def _tier_text(incident: IncidentState, finding: Finding, mode: Mode) -> str:
    detail = f"{_head(incident, mode)} Cause: {finding.cause} ({finding.confidence}), {finding.section}."
    ruled_out = f" Ruled out: {'; '.join(finding.ruled_out)}." if finding.ruled_out else ""
    if finding.tier is Audience.TIER_1:
        return f"{detail} Because: {'; '.join(finding.because)}.{ruled_out}"
    return f"{escalation_text(incident.opened_at, _summary(finding))}\n{detail}{ruled_out}"


def _head(incident: IncidentState, mode: Mode) -> str:
    return f"[{incident.incident_id}] {incident.service}, mode={mode}."


def _summary(finding: Finding) -> str:
    return f"{finding.cause}: {'; '.join(finding.because)}"[:1000]


def _action(result: RemediationResult) -> str:
    return result.action.action.value if result.action else "no action"


def _message(incident: IncidentState, audience: Audience, about: str, text: str) -> Message:
    key = f"{incident.incident_id}/{audience}/{about}"
    return Message(key=key, incident_id=incident.incident_id, audience=audience, text=text)
