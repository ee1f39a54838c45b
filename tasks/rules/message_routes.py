"""Which ways there are to an audience, in which order, and for how long one that failed is left alone."""

import hashlib
import zlib
from datetime import datetime, timedelta

from tasks.model.channels import FallbackSettings, SlackSettings
from tasks.model.delivery import Answer, Route, RouteKind, Verdict
from tasks.model.diagnosis import Audience
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.rules.message_keys import UNDELIVERED, message_key
from tasks.rules.slack_text import clean

# Less than the minute between two runs: every run tries again what did not work.
LEFT_ALONE_FOR = timedelta(seconds=20)
# Slack asks for a pause of a second or two when much is said at once; that is no reason to go to another channel.
WORTH_WAITING = timedelta(seconds=5)
WAITING_AT_MOST = timedelta(seconds=15)
_NEXT: dict[Audience, tuple[Audience, ...]] = {
    Audience.DESK: (Audience.TIER_1, Audience.TIER_2, Audience.TIER_3),
    Audience.TIER_1: (Audience.TIER_2, Audience.TIER_3),
    Audience.TIER_2: (Audience.TIER_3, Audience.TIER_1),
    Audience.TIER_3: (Audience.TIER_2, Audience.TIER_1),
}


def routes_to(slack: SlackSettings, fallback: FallbackSettings, audience: Audience) -> tuple[Route, ...]:
    """List the ways to an audience, the first to be tried first; none where nothing is set."""
    own = slack.of(audience)
    found: list[Route] = []
    if slack.token and own.channel:
        found.append(
            Route(
                kind=RouteKind.SLACK,
                audience=audience,
                name="slack",
                key=f"slack:{own.channel}",
                family="slack",
                place=own.channel,
                user_group=own.user_group,
            )
        )
    if own.webhook_url:
        found.append(_secret_route(RouteKind.WEBHOOK, audience, "slack_webhook", own.webhook_url.get_secret_value(), 0))
    for place, url in enumerate(fallback.of(audience)):
        name = url.get_secret_value().partition(":")[0].lower()
        found.append(_secret_route(RouteKind.APPRISE, audience, name, url.get_secret_value(), place))
    return tuple(found)


def next_audiences(audience: Audience) -> tuple[Audience, ...]:
    """Name who is told instead where an audience cannot be reached: up the tiers, then down; never the desk.

    Runbook: §3 Escalation matrix.
    """
    return _NEXT[audience]


def blocked_until(answer: Answer, now: datetime) -> datetime:
    """Say until when to leave a route alone after what it answered."""
    if answer.verdict is Verdict.LIMITED:
        return now + timedelta(seconds=answer.retry_after_s)
    return now + LEFT_ALONE_FOR


def blocked_key(route: Route, answer: Answer) -> str:
    """Say what is to be left alone: one channel, or all of Slack."""
    match answer.verdict:
        case Verdict.NO_PLACE | Verdict.BAD_CONTENT | Verdict.GONE:
            return route.key
        case Verdict.DOWN | Verdict.LIMITED | Verdict.DENIED | Verdict.SENT:
            return route.family


def worth_waiting(until: datetime, queued_at: datetime, now: datetime) -> bool:
    """Say whether a route that is free again in a moment is worth that moment, rather than another channel."""
    return until - now <= WORTH_WAITING and now - queued_at < WAITING_AT_MOST


def instead_key(message: Message, audience: Audience, incident: IncidentState | None, *, is_first: bool = True) -> str:
    """Write the key of a message that goes to somebody else; the first of an incident is its *undelivered* page."""
    about = UNDELIVERED if is_first else f"{UNDELIVERED}-{zlib.crc32(message.key.encode()) % 1_000_000}"
    if incident is None:
        return f"{message.incident_id}/{audience}/{about}"
    return message_key(incident, audience, about)


def instead_message(message: Message, audience: Audience, key: str) -> Message:
    """Write a message for somebody else: whom it was for, and then its own words, to the letter."""
    who = message.audience.value.replace("_", " ")
    text = f"No channel of {who} takes messages now, so this comes to you.\n{message.text}"
    return message.model_copy(update={"key": key, "audience": audience, "text": text})


def error_words(answer: Answer) -> str:
    """Say in a few words why a call failed."""
    return clean(f"{answer.verdict} {answer.error}".strip())[:200]


def _secret_route(kind: RouteKind, audience: Audience, name: str, secret: str, place: int) -> Route:
    key = f"{name}:{hashlib.sha256(secret.encode()).hexdigest()[:12]}"
    return Route(kind=kind, audience=audience, name=name, key=key, family=key, place=str(place))
