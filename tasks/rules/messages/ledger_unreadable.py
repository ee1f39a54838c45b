"""The ledger cannot be read or written: nothing is known or recorded, so nothing is done; but people are notified."""

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.messages.messages import Message
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.message_keys import OPENED
from tasks.rules.messages.desk import affected_classes, desk_status
from tasks.rules.messages.templates import desk_notice, failing_since, one_line, summary_of

NO_END = "The incident ledger cannot be used, so no message will say that this is over: ask on-call."


def lost_ledger_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is sent while the ledger cannot be read or written: to tier 3; of a failing service to all.

    Runbook: §3.3 SRE and platform, §3.1 on-call, §4.1.
    Errors: none. No incident can be opened, so the keys name the hour: each is sent once in it, and the next hour's
    is the reminder that the ledger's own timers cannot give. They name the fault and, for on-call, the causes as well:
    a service that goes down while the ledger is away is reported, whatever was sent of it before in that hour.
    """
    context = story.evidence.context
    if not context.ledger_detail:
        return ()
    service = context.request.service
    fault, found = one_line(context.ledger_detail), "; ".join(map(summary_of, story.diagnosis.findings))
    lost = (
        f"No action taken: the incident ledger of {service} cannot be used. Fix the ledger; `runbook check` and "
        f"`runbook pause` work without it. Until then no incident is opened, and this page repeats each hour. {fault}."
    )
    about_ledger = _incident_id(story, Cause.OBSERVABILITY_FAULT)
    text = f"{lost} {_seen(found)}"
    told = (_message(story, about_ledger, Audience.TIER_3, text),)
    if not found:
        return told
    causes = sorted({finding.cause.value for finding in story.diagnosis.findings})
    since = story.evidence.observations[0].looked_at
    broken = ". ".join(dict.fromkeys(failing_since(one, service, since) for one in story.diagnosis.findings))
    text = f"{broken}. {lost} {_seen(found)}"
    return (*told, _message(story, _incident_id(story, ".".join(causes)), Audience.TIER_1, text), *_desk(story))


def _message(story: TriageStory, incident_id: str, audience: Audience, text: str) -> Message:
    whole = f"{text} [{incident_id}] mode={story.evidence.context.mode}."
    return Message(key=f"{incident_id}/{audience}/{OPENED}", incident_id=incident_id, audience=audience, text=whole)


def _desk(story: TriageStory) -> tuple[Message, ...]:
    """Write the short notice for all that is degraded, once an hour: who trades on must know it."""
    names = sorted(
        {
            name
            for finding in story.diagnosis.findings
            for name in affected_classes(finding, story.diagnosis, story.evidence)
        }
    )
    if not names:
        return ()
    incident_id = _incident_id(story, Cause.OBSERVABILITY_FAULT)
    key = f"{incident_id}/{Audience.DESK}/desk-{'+'.join(names)}"
    detail = "\n".join((*desk_status(story.evidence), NO_END))
    text = desk_notice(*names)
    return (Message(key=key, incident_id=incident_id, audience=Audience.DESK, text=text, detail=detail),)


def _incident_id(story: TriageStory, what: str) -> str:
    context = story.evidence.context
    fault = context.ledger_detail.partition(":")[0].lower()
    known = fault if fault.startswith("ledger_") and fault.replace("_", "").isalpha() else "ledger"
    return f"INC-{context.looked_at:%Y%m%dT%H}0000Z-{what}-{known}-{context.request.service}"


def _seen(found: str) -> str:
    return f"This run found {one_line(found)}." if found else "This run found nothing wrong with the service itself."
