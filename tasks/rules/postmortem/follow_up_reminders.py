"""Which follow-ups are overdue, what their tier reads of them once a day, and what a ticket system is handed."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.messages import Message
from tasks.model.postmortem.follow_up import FollowUp, FollowUpSettings
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.rules.messages.templates import capitalized, one_line

# Under this name the reminders have a thread of their own: the incidents that they come from are over.
THREAD = "follow-ups"
LISTED_COUNT = 10
TRIED_AGAIN_AFTER = timedelta(minutes=5)
NOT_TAKEN_KEY = "not-handed-over"


class Reminder(NamedTuple):
    """One message, and what it reminds of."""

    message: Message
    late: tuple[FollowUp, ...]


def reminders(items: Iterable[FollowUp], service: str, now: datetime) -> tuple[Reminder, ...]:
    """Write one message to each tier that has overdue follow-ups of a service and was not reminded today.

    Runbook: §5.2.
    Errors: none. Two runs at once write the same key.
    """
    today = now.astimezone(UTC).date()
    by_tier: dict[Audience, list[FollowUp]] = {}
    for one in sorted(items, key=lambda each: (each.due, each.follow_up_id)):
        if one.is_overdue(today):
            by_tier.setdefault(one.tier, []).append(one)
    return tuple(
        Reminder(_message(service, tier, f"{today}", _overdue_text(service, tier, late)), tuple(late))
        for tier, late in by_tier.items()
        if all(one.reminded_on != today for one in late)
    )


def waiting_hand_over(items: Iterable[FollowUp], settings: FollowUpSettings, now: datetime) -> tuple[FollowUp, ...]:
    """Name what the ticket system has not taken, and was not asked to a moment ago; none where there is none."""
    if settings.webhook_url is None:
        return ()
    return tuple(
        one
        for one in items
        if one.is_open and one.handed_at is None and (one.tried_at is None or now - one.tried_at >= TRIED_AGAIN_AFTER)
    )


def ticket_of(one: FollowUp) -> dict[str, Any]:
    """Write what a ticket system is handed; `id` stays the same whenever it is sent again."""
    return {
        "id": one.follow_up_id,
        "source": "trading-runbook",
        "title": one.what,
        "reason": one.why,
        "owner": one.owner,
        "tier": one.tier.value,
        "due": one.due.isoformat(),
        "incident_id": one.incident_id,
        "service": one.service,
        "created_at": one.created_at.isoformat(),
    }


def not_taken_message(left: Iterable[FollowUp], service: str, now: datetime) -> tuple[Message, ...]:
    """Report once a day what the ticket system does not take: whoever waits for it there has to know."""
    failed = [one for one in left if one.fault]
    if not failed:
        return ()
    what = "1 follow-up" if len(failed) == 1 else f"{len(failed)} follow-ups"
    text = (
        f"The ticket system does not take {what} of {service}: {one_line(failed[0].fault)}. "
        f"Tried again every {TRIED_AGAIN_AFTER.seconds // 60} min; until then: `runbook follow-ups`."
    )
    return (_message(service, Audience.TIER_3, f"{NOT_TAKEN_KEY}-{now.astimezone(UTC).date()}", text),)


def quiet_until(items: Iterable[FollowUp], settings: FollowUpSettings, now: datetime) -> datetime:
    """Say when there may be something to do again: the next day, or the next try to hand over."""
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    waits = settings.webhook_url is not None and any(one.is_open and one.handed_at is None for one in items)
    return min(midnight, now + TRIED_AGAIN_AFTER) if waits else midnight


def _overdue_text(service: str, tier: Audience, late: list[FollowUp]) -> str:
    what = "1 follow-up is" if len(late) == 1 else f"{len(late)} follow-ups are"
    listed = " ".join(f"{one.follow_up_id} ({one.owner}, due {one.due}): {one_line(one.what).rstrip('.')}."
                      for one in late[:LISTED_COUNT])  # fmt: skip
    more = f" And {len(late) - LISTED_COUNT} more." if len(late) > LISTED_COUNT else ""
    return (
        f"{what.capitalize()} overdue since {late[0].due}, {service}, {TIER_NAMES[tier]}. {capitalized(listed)}{more} "
        "Done: `runbook follow-ups done ID`; more time: `runbook follow-ups due ID DATE`."
    )


def _message(service: str, tier: Audience, about: str, text: str) -> Message:
    return Message(key=f"{THREAD}/{service}/{tier}/{about}", incident_id=THREAD, audience=tier, text=text)
