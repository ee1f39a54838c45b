"""The ledger cannot be read or written: nothing is known or recorded, so nothing is done; but people are notified."""

from tasks.model.diagnosis import Audience, Cause
from tasks.model.messages import Message
from tasks.model.report import TriageStory
from tasks.rules.affected_classes import affected_classes
from tasks.rules.desk_status import desk_status
from tasks.rules.message_keys import OPENED
from tasks.rules.wording import desk_notice, one_line, summary_of

NO_END = "The incident ledger cannot be used, so nobody will write that this is over: ask on-call."


def lost_ledger_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told while the ledger cannot be read or written: to tier 3; of a sick service to on-call and desk.

    Runbook: §3.3 SRE and platform, §3.1 on-call, §4.1.
    Errors: none. No incident can be opened, so the keys name the hour: each is told once in it, and the next hour's
    is the reminder that the ledger's own timers cannot give. They name the fault and, for on-call, the causes as well:
    a service that goes down while the ledger is away is told, whatever was told of it before in that hour.
    """
    context = story.evidence.context
    if not context.ledger_detail:
        return ()
    service = context.request.service
    fault, found = one_line(context.ledger_detail), "; ".join(map(summary_of, story.diagnosis.findings))
    rest = (
        f"Until it can, no incident is opened, and no page is repeated but this one each hour. {_seen(found)} "
        "Fix the ledger; `runbook check` looks without it, and a person's pause needs none."
    )
    about_ledger = _incident_id(story, Cause.OBSERVABILITY_FAULT)
    text = f"The incident ledger of {service} cannot be used, so nothing is done: {fault}. {rest}"
    told = (_message(story, about_ledger, Audience.TIER_3, text),)
    if not found:
        return told
    causes = sorted({finding.cause.value for finding in story.diagnosis.findings})
    named = " and ".join(causes).replace("_", " ")
    text = f"{service}: {named}, and nothing is done, the incident ledger cannot be used: {fault}. {rest}"
    return (*told, _message(story, _incident_id(story, ".".join(causes)), Audience.TIER_1, text), *_desk(story))


def _message(story: TriageStory, incident_id: str, audience: Audience, text: str) -> Message:
    """Write a page; its head stands last, since a phone shows the first 80 characters."""
    whole = f"{text} [{incident_id}] mode={story.evidence.context.mode}."
    return Message(key=f"{incident_id}/{audience}/{OPENED}", incident_id=incident_id, audience=audience, text=whole)


def _desk(story: TriageStory) -> tuple[Message, ...]:
    """Write the short notice for each class that is degraded, once an hour: who trades on must know it."""
    incident_id = _incident_id(story, Cause.OBSERVABILITY_FAULT)
    detail = "\n".join((*desk_status(story.evidence), NO_END))
    names = dict.fromkeys(
        name
        for finding in story.diagnosis.findings
        for name in affected_classes(finding, story.diagnosis, story.evidence)
    )
    return tuple(
        Message(
            key=f"{incident_id}/{Audience.DESK}/desk-{name}",
            incident_id=incident_id,
            audience=Audience.DESK,
            text=desk_notice(name),
            detail=detail,
        )
        for name in names
    )


def _incident_id(story: TriageStory, what: str) -> str:
    context = story.evidence.context
    fault = context.ledger_detail.partition(":")[0].lower()
    known = fault if fault.startswith("ledger_") and fault.replace("_", "").isalpha() else "ledger"
    return f"INC-{context.looked_at:%Y%m%dT%H}0000Z-{what}-{known}-{context.request.service}"


def _seen(found: str) -> str:
    return f"This run found {one_line(found)}." if found else "This run found nothing wrong with the service itself."
