"""The head of an incident's thread: how it stands, from the ledger; and what a person may do there."""

import hashlib
import json
from datetime import UTC, datetime

from pydantic import AwareDatetime

from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.delivery import Thread
from tasks.model.messages.slack_press import WaitingPlan
from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value
from tasks.rules.formats.time import parse_time, utc_text
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.slack.blocks import Block, cut, plain
from tasks.rules.messages.slack.buttons import acknowledge_button, pause_blocks, plan_blocks, plan_words

FIELD_LIMIT_COUNT = 1500
HEADER_LIMIT_COUNT = 150
TEXT_LIMIT_COUNT = 1000


class Head(Value):
    """What a head is made of. Without an `incident` in the ledger only its name is known.

    `taken` says that a person's acknowledgement holds, `button` that a press of it would be heard;
    `next_update_at` is until when the desk is notified again. The `plan` that waits and the `classes` to pause are
    there where Slack proves who presses.
    """

    service: str
    incident_id: str
    mode: Mode
    incident: IncidentState | None = None
    taken: bool = False
    button: bool = False
    next_update_at: AwareDatetime | None = None
    plan: WaitingPlan | None = None
    classes: tuple[AssetClass, ...] = ()


def head_text(head: Head) -> str:
    """Write the head in one line, as a phone shows it."""
    if head.incident is None:
        return cut(f"{head.incident_id}: {head.service}, mode {head.mode}", TEXT_LIMIT_COUNT)
    facts = f"{status_words(head.incident, taken=head.taken)}; tier {_tier(head.incident)}; mode {head.mode}"
    facts += f"; next update by {desk_clock(head.next_update_at)}" if head.next_update_at else ""
    since = f"since {desk_clock(head.incident.reopened_at or head.incident.opened_at)}"
    waits = f" {plan_words(head.plan)}" if head.plan and head.incident.is_open else ""
    return cut(f"{head.service}: {causes(head.incident)} {since}.{waits} {facts}", TEXT_LIMIT_COUNT)


def head_blocks(head: Head) -> tuple[Block, ...]:
    """Lay the head out; while the incident is open and nobody took it, with a button where buttons work."""
    title = {"type": "header", "text": plain(f"{head.service}: {_causes_of(head)}", HEADER_LIMIT_COUNT)}
    fields = {"type": "section", "fields": [_field(name, words) for name, words in _facts(head)]}
    named = {"type": "context", "elements": [plain(head.incident_id, 300), *_local_time(head)]}
    return (title, fields, named, *_actions(head))


def fingerprint(head: Head) -> str:
    """Tell two heads apart, so that only a changed one is edited."""
    said = json.dumps([head_text(head), head_blocks(head)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def is_final(head: Head) -> bool:
    """Say whether nothing more will change; of what is in no ledger nothing more is known."""
    return head.incident is None or not head.incident.is_open


def begun_at(thread: Thread) -> datetime:
    """Say when a thread began; Slack names a message by its time."""
    return parse_time(thread.head.ts) or thread.head.begun_at or datetime.max.replace(tzinfo=UTC)


def status_words(incident: IncidentState, *, taken: bool) -> str:
    """Say how an incident stands, in words."""
    if incident.closed_at:
        return f"closed {utc_text(incident.closed_at)}"
    by = f", acknowledged by {incident.acknowledged_by}" if taken else ""
    last = incident.actions[-1] if incident.actions else None
    acted = f"; {last.action.replace('_', ' ')}: {last.outcome or 'under way'}" if last else ""
    return f"open{by}{acted}"


def causes(incident: IncidentState) -> str:
    """Name the causes of an incident in words."""
    return ", ".join(cause.value.replace("_", " ") for cause in incident.causes) or "cause not known yet"


def _causes_of(head: Head) -> str:
    return causes(head.incident) if head.incident else head.incident_id


def _facts(head: Head) -> tuple[tuple[str, str], ...]:
    incident = head.incident
    if incident is None:
        return (("Status", "not in the ledger"), ("Mode", head.mode.value))
    return (
        ("Status", status_words(incident, taken=head.taken)),
        ("Cause", causes(incident)),
        ("Since", utc_text(incident.opened_at)),
        ("Tier", _tier(incident)),
        ("Mode", head.mode.value),
        *((("Next update", f"by {desk_clock(head.next_update_at)}"),) if head.next_update_at else ()),
    )


def _tier(incident: IncidentState) -> str:
    return incident.tier.value.removeprefix("tier_") if incident.tier else "not set"


def _field(name: str, words: str) -> Block:
    return plain(f"{name}\n{words}", FIELD_LIMIT_COUNT)


def _local_time(head: Head) -> tuple[Block, ...]:
    """Show since when in each reader's own time zone; Slack fills it in."""
    if head.incident is None:
        return ()
    since: datetime = head.incident.opened_at.astimezone(UTC)
    shown = f"<!date^{int(since.timestamp())}^since {{date_short_pretty}} {{time}}|since {utc_text(since)}>"
    return ({"type": "mrkdwn", "text": shown},)


def _actions(head: Head) -> tuple[Block, ...]:
    """Offer what is possible now: an answer while a plan waits, a pause while the incident is open."""
    incident = head.incident
    if not head.button or incident is None or not incident.is_open:
        return ()
    named = (head.service, head.incident_id)
    plan = plan_blocks(*named, head.plan) if head.plan else ()
    return (
        *plan,
        *(() if head.taken else acknowledge_button(*named)),
        *(pause_blocks(*named, head.classes) if head.classes else ()),
    )
