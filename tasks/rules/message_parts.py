"""The parts that every message is made of: the templates of §4, the head, and one message of an incident."""

from datetime import datetime

from tasks.model.diagnosis import Audience, Finding
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.rules.times import utc_text

DESK_NOTICE = (
    "We are experiencing degraded order routing for [ASSET_CLASS]. Investigating. Orders may be delayed. ETA 15m."
)
TECHNICAL_ESCALATION = (
    "Incident: order-routing health checks failing since [timestamp]. Errors: [summary]. "
    "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
)


def desk_notice(asset_class: str) -> str:
    """Fill the short incident notice (§4.1)."""
    return DESK_NOTICE.replace("[ASSET_CLASS]", asset_class)


def escalation_text(since: datetime, summary: str) -> str:
    """Fill the technical escalation (§4.2); the time is UTC."""
    return TECHNICAL_ESCALATION.replace("[timestamp]", utc_text(since)).replace("[summary]", summary)


def head(incident: IncidentState, mode: Mode) -> str:
    """Begin a message: which incident, which service, and how far the automation may go."""
    return f"[{incident.incident_id}] {incident.service}, mode={mode}."


def summary_of(finding: Finding) -> str:
    """Sum a finding up for the technical escalation."""
    return f"{finding.cause}: {'; '.join(finding.because)}"[:1000]


def message_of(incident: IncidentState, audience: Audience, about: str, text: str) -> Message:
    """Write one message of an incident; `about` is what is said once."""
    key = f"{incident.incident_id}/{audience}/{about}"
    return Message(key=key, incident_id=incident.incident_id, audience=audience, text=text)
