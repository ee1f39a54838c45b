"""Which ways there are to an audience, and in which order."""

import hashlib
import zlib

from pydantic import SecretStr

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import IncidentState
from tasks.model.messages.channels import FallbackSettings, SlackSettings
from tasks.model.messages.delivery import Answer, Route, RouteKind
from tasks.model.messages.messages import Message
from tasks.model.people.person import Person
from tasks.rules.incidents.message_keys import UNDELIVERED, message_key
from tasks.rules.messages.slack.blocks import clean

_NEXT: dict[Audience, tuple[Audience, ...]] = {
    Audience.DESK: (Audience.TIER_1, Audience.TIER_2, Audience.TIER_3),
    Audience.TIER_1: (Audience.TIER_2, Audience.TIER_3),
    Audience.TIER_2: (Audience.TIER_3, Audience.TIER_1),
    Audience.TIER_3: (Audience.TIER_2, Audience.TIER_1),
}


def routes_to(
    slack: SlackSettings, fallback: FallbackSettings, audience: Audience, on_call: tuple[str, Person] | None = None
) -> tuple[Route, ...]:
    """List the ways to an audience, the first to be tried first; none where nothing is set.

    Who is `on_call`, by key, is mentioned in Slack; their own channels come before the audience's fallback.
    """
    key, person = on_call or ("", Person())
    own = slack.of(audience)
    called = tuple(one for one in (own.user_group, person.slack) if one)
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
                called=called,
            )
        )
    if own.webhook_url:
        hook = _secret_route(RouteKind.WEBHOOK, audience, "slack_webhook", own.webhook_url.get_secret_value(), 0)
        found.append(hook.model_copy(update={"called": (person.slack,) if person.slack else ()}))
    own_channels = (_apprise(audience, url, place, key) for place, url in enumerate(person.call))
    return (*found, *own_channels, *(_apprise(audience, url, place) for place, url in enumerate(fallback.of(audience))))


def _apprise(audience: Audience, url: SecretStr, place: int, person: str = "") -> Route:
    name = url.get_secret_value().partition(":")[0].lower()
    route = _secret_route(RouteKind.APPRISE, audience, name, url.get_secret_value(), place)
    return route.model_copy(update={"person": person})


def next_audiences(audience: Audience) -> tuple[Audience, ...]:
    """Name who is notified instead where an audience cannot be reached: up the tiers, then down; never the desk.

    Runbook: §3 Escalation matrix.
    """
    return _NEXT[audience]


def instead_key(message: Message, audience: Audience, incident: IncidentState | None, *, is_first: bool = True) -> str:
    """Write the key of a message that goes to somebody else; the first of an incident is its *undelivered* page."""
    about = UNDELIVERED if is_first else f"{UNDELIVERED}-{zlib.crc32(message.key.encode()) % 1_000_000}"
    if incident is None:
        return f"{message.incident_id}/{audience}/{about}"
    return message_key(incident, audience, about)


def instead_message(message: Message, audience: Audience, key: str) -> Message:
    """Write a message for somebody else: its own words, to the letter, and then whom it was for."""
    who = message.audience.value.replace("_", " ")
    text = f"{message.text}\nFor {who}; sent to you because no channel of theirs takes messages now."
    return message.model_copy(update={"key": key, "audience": audience, "text": text, "also": {}})


def error_words(answer: Answer) -> str:
    """Say in a few words why a call failed."""
    return clean(f"{answer.verdict} {answer.error}".strip())[:200]


def _secret_route(kind: RouteKind, audience: Audience, name: str, secret: str, place: int) -> Route:
    key = f"{name}:{hashlib.sha256(secret.encode()).hexdigest()[:12]}"
    return Route(kind=kind, audience=audience, name=name, key=key, family=key, place=str(place))
