"""What every message shares: the two templates of §4, kept to the letter; what is broken; the ending; the key."""

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience, Cause, Finding, Kind
from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.probes.control import printable_line
from tasks.rules.incidents.message_keys import message_key
from tasks.rules.messages.desk import UTC_NAME, desk_clock, desk_time

DESK_NOTICE = (
    "We are experiencing degraded order routing for [ASSET_CLASS]. Investigating. Orders may be delayed. ETA 15m."
)
TECHNICAL_ESCALATION = (
    "Incident: order-routing health checks failing since [timestamp]. Errors: [summary]. "
    "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
)
SUMMARY_LIMIT_COUNT = 1000
# What is broken, and how it is: the first words of a page.
_BROKEN = {
    Cause.SERVICE_DOWN: ("{service}", "down"),
    Cause.SERVICE_HUNG: ("{service}", "hung"),
    Cause.CRASH_LOOP: ("{service}", "in a crash loop"),
    Cause.DEPENDENCY_UNREACHABLE: ("{gateways}", "unreachable"),
    Cause.GATEWAY_FAILING: ("{gateways}", "failing"),
    Cause.ROUTING_MISCONFIGURED: ("routing of {classes}", "misconfigured"),
    Cause.BAD_RELEASE: ("the new release of {service}", "failing"),
    Cause.BAD_FEATURE: ("a new feature of {service}", "failing"),
    Cause.RESOURCE_EXHAUSTED: ("{service}", "short of a resource"),
    Cause.INFRASTRUCTURE: ("the infrastructure of {service}", "failing"),
    Cause.OBSERVABILITY_FAULT: ("monitoring of {service}", "faulty"),
    Cause.CLIENT_MISBEHAVIOUR: ("a strategy on {service}", "misbehaving"),
    Cause.MONITOR_BLIND: ("{service}", "out of our sight"),
    Cause.UNKNOWN: ("{service}", "failing for an unknown reason"),
}
_ORDER_LEFT = ("a test order of {service}", "left at its venue")
# What stands for what a person writes there.
SPELLED_OUT = frozenset({"…"})


def desk_notice(*asset_classes: str) -> str:
    """Fill the short incident notice (§4.1), with all classes that it is about."""
    return DESK_NOTICE.replace("[ASSET_CLASS]", listed(asset_classes))


def escalation_text(since: datetime, summary: str, time_zone: str = UTC_NAME) -> str:
    """Fill the technical escalation (§4.2); the time is UTC, and that of the desk's clock where it is another."""
    filled = TECHNICAL_ESCALATION.replace("[timestamp]", desk_time(since, time_zone))
    return filled.replace("[summary]", one_line(summary).rstrip("."))


def ending(incident: IncidentState, mode: Mode) -> str:
    """Write which incident, of which service, and how far the automation may go (safety rule 12).

    It ends a message: the first 80 characters, which a phone shows, are for what is broken.
    """
    return f"[{incident.incident_id}] {incident.service}, mode={mode}."


def failing_since(found: Finding | IncidentState, service: str, since: datetime, time_zone: str = UTC_NAME) -> str:
    """Say what is broken and since when, as a sentence without its full stop."""
    subject, verb, state = _broken(found, service)
    been = "has been" if verb == "is" else "have been"
    return f"{subject} {been} {state} since {desk_clock(since, time_zone)}"


def incident_failing(incident: IncidentState, found: Finding | None = None) -> str:
    """Say what is broken in an incident and since when: the finding of this run, else what the ledger names."""
    return failing_since(found or incident, incident.service, incident.reopened_at or incident.opened_at)


def was_failing(found: Finding | IncidentState, service: str) -> str:
    """Say what was broken, once it is over."""
    subject, verb, state = _broken(found, service)
    return f"{subject} {'was' if verb == 'is' else 'were'} {state}"


def failing(found: Finding | IncidentState, service: str) -> str:
    """Say what is broken, where nobody has to know since when."""
    return " ".join(_broken(found, service))


def broken_words(found: Finding | IncidentState, service: str) -> str:
    """Name what is broken and how, in the fewest words: *order-service hung*."""
    subject, _, state = _broken(found, service)
    return f"{subject} {state}"


def summary_of(finding: Finding) -> str:
    """Write the diagnosis in one line: the cause and the numbers that decided."""
    return one_line(f"{finding.cause}: {'; '.join(finding.because)}")


def causes_of(incident: IncidentState) -> str:
    """Name the causes of an incident in plain words."""
    return ", ".join(cause.value.replace("_", " ") for cause in incident.causes) or "its trouble"


def how_to_acknowledge(incident: IncidentState) -> str:
    """Write how a person says that they have it."""
    return f"Acknowledge: `{command_line('runbook', 'ack', incident.incident_id)}`."


def listed(names: Iterable[str]) -> str:
    """List names as a sentence does."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def capitalized(text: str) -> str:
    """Begin a sentence with a text, and leave the rest of it as it is: a gateway keeps its capitals."""
    return text[:1].upper() + text[1:]


def one_line(text: str) -> str:
    """Bring foreign text into one line of bounded length: a template stays one sentence."""
    return printable_line(text)[:SUMMARY_LIMIT_COUNT]


def command_line(*words: str) -> str:
    """Write a command that a person copies into a shell: a name from outside is one word there, whatever it holds."""
    return " ".join(word if word in SPELLED_OUT else shlex.quote(printable_line(word)) for word in words)


def message_of(incident: IncidentState, audience: Audience, about: str, text: str, detail: str = "") -> Message:
    """Write one message about an incident; it is sent once for each audience and thing that it is about."""
    key = message_key(incident, audience, about)
    return Message(key=key, incident_id=incident.incident_id, audience=audience, text=text, detail=detail)


def as_one(parts: Sequence[Message], text: str, detail: str = "") -> tuple[Message, ...]:
    """Send several messages as one: one outage of four classes is one event, and one message."""
    if not parts:
        return ()
    first, *others = parts
    also = {one.key: one.incident_id for one in others}
    return (first.model_copy(update={"text": text, "detail": detail, "also": also}),)


def _broken(found: Finding | IncidentState, service: str) -> tuple[str, str, str]:
    """Name what is broken, its verb, and in which way."""
    cause = found.cause if isinstance(found, Finding) else found.causes[-1] if found.causes else Cause.UNKNOWN
    is_left = isinstance(found, Finding) and Kind.TEST_ORDERS in found.kinds
    subject, state = _ORDER_LEFT if is_left else _BROKEN[cause]
    gateways, classes = listed(found.gateways) or "a gateway", listed(found.asset_classes) or service
    of = service
    if isinstance(found, Finding) and found.instances:
        count = len(found.instances) + len(found.serving)
        some = f" ({len(found.instances)} of {count})" if found.is_of_some else ""
        of = f"instance {listed(found.instances)} of {service}{some}"
    named = subject.format(service=of, gateways=gateways, classes=classes)
    return capitalized(named) if named != service else named, _verb(subject, found), state


def _verb(subject: str, found: Finding | IncidentState) -> str:
    return "are" if subject == "{gateways}" and len(found.gateways) > 1 else "is"
