"""The words that people are told. The two templates of §4 are the desk's own and are kept to the letter."""

from datetime import datetime

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.incident import IncidentState, Outcome
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.model.remediation import RemediationResult
from tasks.model.verdicts import GuardCode
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


def opening_messages(
    incident: IncidentState, finding: Finding, mode: Mode, classes: tuple[str, ...]
) -> tuple[Message, ...]:
    """Write what is told when an incident opens: the tier of the cause, and the desk for each degraded asset class.

    Runbook: §3 Escalation matrix, §4.1, §4.2.
    """
    affected = classes if finding.cause in TROUBLED_ALL else tuple(one.value for one in finding.asset_classes)
    desk = tuple(_message(incident, Audience.DESK, f"desk-{name}", desk_notice(name)) for name in affected)
    return (_message(incident, finding.tier, "opened", _tier_text(incident, finding, mode)), *desk)


def outcome_messages(
    incident: IncidentState, finding: Finding, mode: Mode, result: RemediationResult
) -> tuple[Message, ...]:
    """Write what is told after §2: tier 1 when it helped, tier 2 with §4.2 when it did not or was not known.

    Runbook: §3.1, §3.2.
    """
    match result.outcome:
        case Outcome.RECOVERED:
            text = f"{_head(incident, mode)} Recovered after {_action(result)}: {result.detail}."
            return (_message(incident, Audience.TIER_1, "recovered", text),)
        case Outcome.REFUSED:
            text = f"{_head(incident, mode)} No action was taken, {result.code}: {result.detail}."
            return (
                _message(incident, REFUSAL_AUDIENCE.get(result.code, Audience.TIER_1), f"refused-{result.code}", text),
            )
        case Outcome.NOT_RECOVERED | Outcome.UNKNOWN | Outcome.DONE:
            what = f"{_action(result)} did not help ({result.outcome}): {result.detail}"
            text = f"{escalation_text(incident.opened_at, _summary(finding))}\n{_head(incident, mode)} {what}."
            return (_message(incident, Audience.TIER_2, f"escalated-{result.outcome}", text),)


def closing_message(incident: IncidentState, mode: Mode) -> Message:
    """Write what tells everybody who was told that the incident is over."""
    return _message(incident, Audience.TIER_1, "closed", f"{_head(incident, mode)} Closed: the service is well again.")


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
