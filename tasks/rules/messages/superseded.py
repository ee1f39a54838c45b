"""Say whether a message that waits is no longer true: it is dropped then, and never sent after what is newer."""

import re
from collections.abc import Iterable

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.messages.delivery import Queued
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value
from tasks.rules.incidents.hysteresis import SERVICE_TROUBLES
from tasks.rules.incidents.message_keys import (
    AGAIN,
    CLOSED,
    OPENED,
    PAGES,
    RECOVERED,
    UNACKNOWLEDGED,
    UPDATE,
    about_of,
    audience_of,
)
from tasks.rules.messages.recovered import DESK_KEY, degraded_classes, notified_class
from tasks.rules.messages.triage_stalled import WATCH_STOPPED

ALSO = "also-"
# These say that something is broken now. Orders at risk and a spent budget outlive their incident, and are not here.
_BROKEN_NOW = frozenset({OPENED, AGAIN, UNACKNOWLEDGED, UPDATE})
# What the desk is notified to be in force: which action set it, and on what.
_IN_FORCE = re.compile(f"{DESK_KEY}({Action.PAUSE_STRATEGIES}|{Action.REROUTE_ORDERS})-([^/+]{{1,200}})")
_LIFE = re.compile(r"#(\d{1,6})$")


class Superseded(Value):
    """Why a message is dropped. `is_told`: its audience is to hear of the end instead, as one that was reported."""

    because: str
    is_told: bool = False


def superseded(
    entry: Queued, incident: IncidentState | None, others: Iterable[IncidentState], queued: Iterable[Queued]
) -> Superseded | None:
    """Say why a queued message is no longer true; None where it is, or where nobody knows.

    Runbook: §4 Communication.
    Errors: none. By keys and times alone: a message for somebody else is judged as the one that it stands for.
    """
    key = entry.instead_of or entry.message.key
    if incident is None:
        return None
    about, all_others = about_of(key, incident.incident_id), tuple(others)
    if about == CLOSED:
        return _closed(entry, key, incident, (all_others, queued))
    if about == RECOVERED:
        return _recovered(entry, key, incident) or _gone_again(entry, incident, all_others)
    return _broken(entry, key, incident) if says_broken(about) else _changed_since(entry, about, all_others)


def says_broken(about: str) -> bool:
    """Say whether a message says that something is broken now."""
    return about in _BROKEN_NOW or notified_class(about) is not None or about.startswith((ALSO, WATCH_STOPPED))


def _closed(
    entry: Queued, key: str, incident: IncidentState, around: tuple[Iterable[IncidentState], Iterable[Queued]]
) -> Superseded | None:
    if incident.is_open or _is_past(key, incident):
        return Superseded(because="the incident is open again")
    if entry.message.audience is not Audience.DESK:
        return None
    ended, queued = set(degraded_classes(incident)) | set(incident.trading or ()), tuple(around[1])
    for other in around[0]:
        began_at = other.reopened_at or other.opened_at
        degraded = {*degraded_classes(other), *_queued_classes(other, queued)}
        if other.is_open and other.incident_id != incident.incident_id and began_at >= entry.said_at:
            again = sorted(ended & degraded)
            if again:
                return Superseded(because=f"{', '.join(again)} degraded again, see {other.incident_id}")
    return None


def _recovered(entry: Queued, key: str, incident: IncidentState) -> Superseded | None:
    if _is_past(key, incident):
        return Superseded(because="the incident has come back since")
    audience = audience_of(key, incident.incident_id)
    later = (one for one, at in incident.told_at.items() if at > entry.said_at and one != key)
    pages = (one for one in later if audience_of(one, incident.incident_id) == audience)
    if incident.is_open and any(about_of(one, incident.incident_id) in PAGES for one in pages):
        return Superseded(because="a newer page says that it is broken")
    return None


def _gone_again(entry: Queued, incident: IncidentState, others: tuple[IncidentState, ...]) -> Superseded | None:
    """Say that the service is in trouble again, in another incident; the end of this one is reported with its time."""
    for other in others:
        began_at = other.reopened_at or other.opened_at
        is_later = other.incident_id != incident.incident_id and began_at >= entry.said_at
        if is_later and other.is_open and other.recovered_at is None and SERVICE_TROUBLES & set(other.causes):
            return Superseded(because=f"the service is in trouble again, see {other.incident_id}")
    return None


def _changed_since(entry: Queued, about: str, others: tuple[IncidentState, ...]) -> Superseded | None:
    """Say that what the desk would read as in force was set otherwise since, which is told by itself."""
    found = _IN_FORCE.fullmatch(about)
    if found is None:
        return None
    was, name = found[1], _subject(found[1], found[2])
    for one in (action for other in others for action in other.actions):
        _, _, target = one.key.partition(f"/{one.action}/")
        is_later = one.started_at > entry.said_at and one.outcome in {Outcome.DONE, Outcome.RECOVERED}
        if is_later and one.action in {was, Action.RESUME} and _subject(one.action, target.partition("/")[0]) == name:
            return Superseded(because=f"{name} was set again since, by {one.key}")
    return None


def _subject(action: str, words: str) -> str:
    """Read what an action is about out of its target's words: a class, or a strategy that may be named like one."""
    name, _, rest = words.partition("-")
    is_class = AssetClass.read(name) and (action == Action.REROUTE_ORDERS or rest in {"", *TradingState})
    return name if is_class else words


def _broken(entry: Queued, key: str, incident: IncidentState) -> Superseded | None:
    if _is_past(key, incident):
        return Superseded(because="the incident has come back since, and is reported again")
    if not incident.is_open:
        return Superseded(because="the incident is closed", is_told=True)
    taken_at = incident.acknowledged_at
    if about_of(key, incident.incident_id) == UNACKNOWLEDGED and taken_at is not None and taken_at >= entry.said_at:
        return Superseded(because=f"acknowledged by {incident.acknowledged_by}")
    return None


def _is_past(key: str, incident: IncidentState) -> bool:
    """Say whether a key is of an earlier time that the incident was open."""
    found = _LIFE.search(key)
    return (int(found[1]) if found else 1) < incident.reopened + 1


def _queued_classes(incident: IncidentState, queued: tuple[Queued, ...]) -> tuple[str, ...]:
    keys = (key for one in queued for key, name in one.message.stands_for.items() if name == incident.incident_id)
    return tuple(about_of(key, incident.incident_id).removeprefix(DESK_KEY) for key in keys)
