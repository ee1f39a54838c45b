"""Tell that an incident is over to everybody who was told of it. Recovery is never held back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tasks.model.diagnosis import Audience, Cause
from tasks.model.escalation import PageWords
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.orders import AssetClass
from tasks.rules.desk_time import desk_clock
from tasks.rules.durations import duration_text
from tasks.rules.message_keys import CAUSE_LEFT, CLOSED, RECOVERED, about_of, audience_of, told_now
from tasks.rules.times import utc_text
from tasks.rules.wording import causes_of, head, message_of

# What closed longer ago is told by the list of incidents; nobody waits for it any more.
OWED_FOR = timedelta(days=1)
# What is told later than this after the close speaks of the past: the next run after a killed one.
TOLD_AT_ONCE = timedelta(minutes=2)
DESK_KEY = "desk-"
_TELLS_OF_THE_END = frozenset({CLOSED, RECOVERED, CAUSE_LEFT})


def owes_recovery(incident: IncidentState, now: datetime) -> bool:
    """Say whether somebody still has to hear that an incident is over.

    Errors: none; a run that was killed between closing an incident and telling of it leaves this for the next run.
    """
    lately = incident.closed_at is not None and incident.closed_at > now - OWED_FOR
    return lately and bool(_waiting(incident))


def recovery_messages(
    incident: IncidentState, words: PageWords, now: datetime, others: tuple[IncidentState, ...] = ()
) -> tuple[Message, ...]:
    """Write that an incident is over, to each audience that was told of it; the on-call hears of every one.

    Runbook: §3.1, §4.
    Errors: none. The desk reads that a class is no longer degraded only where it was seen to take and fill an order at
    the close, and no other incident (`others`) has named it since.
    """
    if not owes_recovery(incident, now):
        return ()
    return tuple(
        message_of(
            incident, audience, CLOSED, _text(incident, audience, words, others, is_late=_is_late(incident, now))
        )
        for audience in _waiting(incident)
    )


def _waiting(incident: IncidentState) -> tuple[Audience, ...]:
    told = [(audience_of(key, incident.incident_id), key) for key in told_now(incident)]
    know = {audience for audience, key in told if about_of(key, incident.incident_id) in _TELLS_OF_THE_END}
    heard = {audience for audience, _ in told} | {Audience.TIER_1}
    return tuple(audience for audience in Audience if audience in heard and audience not in know)


def _is_late(incident: IncidentState, now: datetime) -> bool:
    return incident.closed_at is not None and abs(now - incident.closed_at) > TOLD_AT_ONCE


def _text(
    incident: IncidentState, audience: Audience, words: PageWords, others: tuple[IncidentState, ...], *, is_late: bool
) -> str:
    closed_at = incident.closed_at or incident.opened_at
    took = duration_text((closed_at - (incident.reopened_at or incident.opened_at)).total_seconds())
    if audience is not Audience.DESK:
        left = "".join(f" {one}" for one in _by_words(incident.not_trading))
        when = f" at {utc_text(closed_at)}" if is_late else ""
        return f"{head(incident, words.mode)} {_end_words(incident, f'Closed{when}', took, others)}{left}"
    when = desk_clock(closed_at, words.time_zone)
    classes = _desk_words(incident, others, is_late=is_late)
    return f"Incident {incident.incident_id} was closed at {when} after {took}. {classes}"


def _end_words(incident: IncidentState, closed: str, took: str, others: tuple[IncidentState, ...]) -> str:
    """Say that it is over; not where the same classes do not trade under the name of another cause."""
    later = (one for one in others if one.is_open and one.recovered_at is None and one != incident)
    other = next((one for one in later if set(incident.not_trading) & set(degraded_classes(one))), None)
    if other is None:
        return f"{closed}: {causes_of(incident)} no longer shows, after {took}."
    return f"{closed} but NOT OVER: it goes on as {causes_of(other)}, see {other.incident_id}."


def _desk_words(incident: IncidentState, others: tuple[IncidentState, ...], *, is_late: bool) -> str:
    """Say of each class that the desk was told of whether it trades again; nothing is good that nobody saw.

    Steps: what was seen at the close says nothing of a later moment, and is told as of then.
    """
    abouts = {about_of(key, incident.incident_id).removeprefix(DESK_KEY) for key in told_now(incident)}
    named = [name for name in AssetClass if name.value in abouts]
    again = {name: other for other in others if other.is_open for name in degraded_classes(other)}
    well = [name for name in named if name in (incident.trading or ()) and name not in again]
    how = "was no longer degraded then" if is_late else "is no longer degraded"
    sentences = [f"Order routing for {', '.join(well)} {how}."] if well else []
    sentences += _by_words({name: _left_words(incident, name, again) for name in named if name not in well})
    # The end of a stall says that somebody checks again; how the service is says its own incident.
    over = (
        "The service is checked each minute again"
        if set(incident.causes) == {Cause.MONITOR_BLIND}
        else "Its trouble no longer shows"
    )
    return " ".join(sentences) or f"{over}."


def _by_words(told: Mapping[AssetClass, str]) -> list[str]:
    """Write a sentence for each thing that is said, with all classes that it is said of."""
    groups: dict[str, list[str]] = {}
    for name, words in told.items():
        groups.setdefault(words, []).append(name)
    return [f"{', '.join(names).capitalize()}: {words}." for words, names in groups.items()]


def degraded_classes(incident: IncidentState) -> tuple[AssetClass, ...]:
    """Name the classes that an incident is about, or that the desk was told of in it."""
    abouts = {about_of(key, incident.incident_id).removeprefix(DESK_KEY) for key in told_now(incident)}
    return (*incident.asset_classes, *(name for name in AssetClass if name.value in abouts))


def _left_words(incident: IncidentState, name: AssetClass, again: dict[AssetClass, IncidentState]) -> str:
    if other := again.get(name):
        began_at = other.reopened_at or other.opened_at
        how = "still degraded" if incident.closed_at and began_at <= incident.closed_at else "degraded again"
        return f"{how}, see {other.incident_id}"
    unseen = "the trouble no longer shows; no order has proven yet that it trades"
    return incident.not_trading.get(name) or unseen
