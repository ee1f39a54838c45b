"""The ledger cannot be read or written: nothing is known or recorded, so nothing is done; but people are notified."""

from tasks.model.diagnosis import Audience, Cause
from tasks.model.messages import Message
from tasks.model.report import TriageStory
from tasks.rules.message_keys import OPENED
from tasks.rules.wording import one_line, summary_of


def lost_ledger_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what is told while the ledger cannot be read or written: to tier 3, and on-call for a sick service.

    Runbook: §3.3 SRE and platform, §3.1 on-call.
    Errors: none. No incident can be opened, so the keys name the hour: each is told once in it, and the next hour's
    is the reminder that the ledger's own timers cannot give.
    """
    context = story.evidence.context
    if not context.ledger_detail:
        return ()
    service = context.request.service
    incident_id = f"INC-{context.looked_at:%Y%m%dT%H}0000Z-{Cause.OBSERVABILITY_FAULT}-ledger-{service}"
    found = "; ".join(summary_of(finding) for finding in story.diagnosis.findings)
    seen = f"This run found {one_line(found)}." if found else "This run found nothing wrong with the service itself."
    text = (
        f"[{incident_id}] {service}, mode={context.mode}. The incident ledger cannot be used: "
        f"{one_line(context.ledger_detail)}. Until it can, no incident is opened, nothing is done, and no page is "
        f"repeated but this one each hour. {seen} Fix the ledger; `runbook check` looks without it, "
        "and a person's pause needs none."
    )
    told = (Audience.TIER_3, *((Audience.TIER_1,) if found else ()))
    return tuple(
        Message(key=f"{incident_id}/{one}/{OPENED}", incident_id=incident_id, audience=one, text=text) for one in told
    )
