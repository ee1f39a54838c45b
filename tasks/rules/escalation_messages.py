"""The words of a page that is due: §4.2 to the letter for T2 and T3, then why it comes, and how to take it."""

from tasks.model.diagnosis import Audience
from tasks.model.escalation import Page, PageReason, PageWords
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.rules.durations import duration_text
from tasks.rules.times import utc_text
from tasks.rules.wording import causes_of, command_line, escalation_text, head, message_of, one_line

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
    why = _why(incident, page)
    if page.audience is Audience.TIER_1:
        text = f"{head(incident, words.mode)} {why}{summary.rstrip('.')}. {how_to_take(incident)}"
    else:
        template = escalation_text(incident.opened_at, summary, words.time_zone)
        text = f"{template}\n{head(incident, words.mode)} {why}{how_to_take(incident)}"
    return message_of(incident, page.audience, page.about, text)


def how_to_take(incident: IncidentState) -> str:
    """Write how a person says that they have it."""
    return f"To take it: `{command_line('runbook', 'ack', incident.incident_id)}`."


def _why(incident: IncidentState, page: Page) -> str:
    waited = duration_text(page.waited_s)
    match page.reason:
        case PageReason.NOT_TOLD:
            return ""
        case PageReason.NOT_ACKNOWLEDGED:
            return f"Still open, and nobody has taken it for {waited}. "
        case PageReason.ACKNOWLEDGEMENT_OVER:
            return f"Still open; {incident.acknowledged_by} took it, and that has been over for {waited}. "
        case PageReason.NEXT_TIER:
            return f"{TIER_NAMES[page.from_tier].capitalize()} has not taken it for {waited}. "
        case PageReason.UNDELIVERED:
            return f"A page to {TIER_NAMES[page.from_tier]} could not be delivered for {waited}. "
        case PageReason.EXHAUSTED:
            return f"The automation is at its end: {_last_action(incident)}. "


def _last_action(incident: IncidentState) -> str:
    action = incident.actions[-1]
    return f"{action.action} of {utc_text(action.started_at)}, {action.outcome or 'its end is not known'}"
