"""The words of a page that is due: §4.2 to the letter for T2 and T3, then why it comes, and how to acknowledge."""

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.escalation import Page, PageReason, PageWords
from tasks.model.incidents.incident import IncidentState
from tasks.model.messages.messages import Message
from tasks.rules.formats.time import duration_text
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.templates import (
    capitalized,
    causes_of,
    ending,
    escalation_text,
    how_to_acknowledge,
    incident_failing,
    message_of,
    one_line,
)

TIER_NAMES = {
    Audience.DESK: "the desk",
    Audience.TIER_1: "tier 1",
    Audience.TIER_2: "tier 2",
    Audience.TIER_3: "tier 3",
}


def page_message(incident: IncidentState, page: Page, words: PageWords) -> Message:
    """Write one page from what the ledger holds of the incident.

    Runbook: §3 Escalation matrix, §4.2.
    """
    summary = one_line(incident.summary) or causes_of(incident)
    todo, end = f"{_why(incident, page)}{how_to_acknowledge(incident)}", ending(incident, words.mode)
    if page.audience is Audience.TIER_1:
        text = f"{incident_failing(incident)}. {todo} Last seen: {summary.rstrip('.')}. {end}"
    else:
        text = f"{escalation_text(incident.opened_at, summary, words.time_zone)}\n{todo} {end}"
    return message_of(incident, page.audience, page.about, text)


def _why(incident: IncidentState, page: Page) -> str:
    waited = duration_text(page.waited_s)
    match page.reason:
        case PageReason.NOT_TOLD:
            return ""
        case PageReason.NOT_ACKNOWLEDGED:
            return f"Nobody has acknowledged it for {waited}. "
        case PageReason.ACKNOWLEDGEMENT_OVER:
            return f"Still open: the acknowledgement by {incident.acknowledged_by} ended {waited} ago. "
        case PageReason.NEXT_TIER:
            return f"{TIER_NAMES[page.from_tier].capitalize()} has not acknowledged it for {waited}. "
        case PageReason.UNDELIVERED:
            return f"A page to {TIER_NAMES[page.from_tier]} has not been delivered for {waited}. "
        case PageReason.EXHAUSTED:
            return f"The automation can do no more: {_last_action(incident)}. "


def _last_action(incident: IncidentState) -> str:
    action = incident.actions[-1]
    outcome = (action.outcome or "outcome unknown").replace("_", " ")
    return f"{capitalized(action.action.replace('_', ' '))} at {desk_clock(action.started_at)}: {outcome}"
