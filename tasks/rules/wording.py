"""The words that every message shares: the two templates of §4, kept to the letter, the head, the summary, the key."""

import shlex
from datetime import datetime

from tasks.model.control import printable_line
from tasks.model.diagnosis import Audience, Finding
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.modes import Mode
from tasks.rules.desk_time import UTC_NAME, desk_time
from tasks.rules.message_keys import message_key

DESK_NOTICE = (
    "We are experiencing degraded order routing for [ASSET_CLASS]. Investigating. Orders may be delayed. ETA 15m."
)
TECHNICAL_ESCALATION = (
    "Incident: order-routing health checks failing since [timestamp]. Errors: [summary]. "
    "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
)
SUMMARY_LIMIT_COUNT = 1000
# What stands for what a person writes there.
SPELLED_OUT = frozenset({"…"})


def desk_notice(asset_class: str) -> str:
    """Fill the short incident notice (§4.1)."""
    return DESK_NOTICE.replace("[ASSET_CLASS]", asset_class)


def escalation_text(since: datetime, summary: str, time_zone: str = UTC_NAME) -> str:
    """Fill the technical escalation (§4.2); the time is UTC, and that of the desk's clock where it is another."""
    filled = TECHNICAL_ESCALATION.replace("[timestamp]", desk_time(since, time_zone))
    return filled.replace("[summary]", one_line(summary).rstrip("."))


def head(incident: IncidentState, mode: Mode) -> str:
    """Write which incident, of which service, and how far the automation may go (safety rule 12)."""
    return f"[{incident.incident_id}] {incident.service}, mode={mode}."


def summary_of(finding: Finding) -> str:
    """Write the diagnosis in one line: the cause and the numbers that decided."""
    return one_line(f"{finding.cause}: {'; '.join(finding.because)}")


def causes_of(incident: IncidentState) -> str:
    """Name the causes of an incident in plain words."""
    return ", ".join(cause.value.replace("_", " ") for cause in incident.causes) or "its trouble"


def one_line(text: str) -> str:
    """Bring foreign text into one line of bounded length: a template stays one sentence."""
    return printable_line(text)[:SUMMARY_LIMIT_COUNT]


def command_line(*words: str) -> str:
    """Write a command that a person copies into a shell: a name from outside is one word there, whatever it holds."""
    return " ".join(word if word in SPELLED_OUT else shlex.quote(printable_line(word)) for word in words)


def message_of(incident: IncidentState, audience: Audience, about: str, text: str, detail: str = "") -> Message:
    """Write one message about an incident; it is told once for each audience and thing that it is about."""
    key = message_key(incident, audience, about)
    return Message(key=key, incident_id=incident.incident_id, audience=audience, text=text, detail=detail)
