"""The end of an incident, to everybody who was notified of it. Recovery is never held back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.escalation import PageWords
from tasks.model.incidents.incident import Action, IncidentState
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.rules.formats.time import duration_text
from tasks.rules.incidents.message_keys import CAUSE_LEFT, CLOSED, RECOVERED, about_of, audience_of, told_now
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.templates import as_one, causes_of, ending, message_of

# What closed longer ago stands in the list of incidents; nobody waits for it any more.
OWED_FOR = timedelta(days=1)
# What is sent later than this after the close speaks of the past: the next run after a killed one.
TOLD_AT_ONCE = timedelta(minutes=2)
DESK_KEY = "desk-"
_TELLS_OF_THE_END = frozenset({CLOSED, RECOVERED, CAUSE_LEFT})


def owes_recovery(incident: IncidentState, now: datetime) -> bool:
    """Say whether somebody still has to hear that an incident is over.

    Errors: none; a run that was killed between closing an incident and telling of it leaves this for the next run.
    """
    lately = incident.closed_at is not None and incident.closed_at > now - OWED_FOR
    return lately and bool(_waiting(incident))


def all_recoveries(incidents: tuple[IncidentState, ...], words: PageWords, now: datetime) -> tuple[Message, ...]:
    """Write every end that somebody still has to hear of; what ended in one run is one message for the desk.

    Errors: none.
    """
    owed = [(one, each) for one in incidents for each in recovery_messages(one, words, now, incidents)]
    together: dict[datetime | None, list[tuple[IncidentState, Message]]] = {}
    for one, message in owed:
        if message.audience is Audience.DESK:
            together.setdefault(one.closed_at, []).append((one, message))
    desk = (
        as_one([message for _, message in group], _desk_text([one for one, _ in group], words, incidents, now))
        for group in together.values()
    )
    return (*chain.from_iterable(desk), *(one for _, one in owed if one.audience is not Audience.DESK))


def recovery_messages(
    incident: IncidentState, words: PageWords, now: datetime, others: tuple[IncidentState, ...] = ()
) -> tuple[Message, ...]:
    """Write that an incident is over, to each audience that was reported of it; the on-call hears of every one.

    Runbook: §3.1, §4.
    Errors: none. The desk reads that a class is no longer degraded only where it was seen to take and fill an order at
    the close, and no other incident (`others`) has named it since.
    """
    if not owes_recovery(incident, now):
        return ()
    texts = (
        (audience, _desk_text([incident], words, others, now))
        if audience is Audience.DESK
        else (audience, _text(incident, words, others))
        for audience in _waiting(incident)
    )
    return tuple(message_of(incident, audience, CLOSED, text) for audience, text in texts)


def _waiting(incident: IncidentState) -> tuple[Audience, ...]:
    told = [(audience_of(key, incident.incident_id), key) for key in told_now(incident)]
    know = {audience for audience, key in told if about_of(key, incident.incident_id) in _TELLS_OF_THE_END}
    heard = {audience for audience, _ in told} | {Audience.TIER_1}
    return tuple(audience for audience in Audience if audience in heard and audience not in know)


def _is_late(incident: IncidentState, now: datetime) -> bool:
    return incident.closed_at is not None and abs(now - incident.closed_at) > TOLD_AT_ONCE


def _text(incident: IncidentState, words: PageWords, others: tuple[IncidentState, ...]) -> str:
    left = "".join(f" {one}" for one in _by_words(incident.not_trading))
    return f"{_end_words(incident, _took(incident), others)}{left} {ending(incident, words.mode)}"


def _took(*incidents: IncidentState) -> str:
    """Say how long incidents that ended together lasted, from the first one's beginning."""
    began_at = min(one.reopened_at or one.opened_at for one in incidents)
    ended_at = max(one.closed_at or one.opened_at for one in incidents)
    return duration_text((ended_at - began_at).total_seconds())


def _end_words(incident: IncidentState, took: str, others: tuple[IncidentState, ...]) -> str:
    """Say that it is over; not where the same classes do not trade under the name of another cause."""
    later = (one for one in others if one.is_open and one.recovered_at is None and one != incident)
    other = next((one for one in later if set(incident.not_trading) & set(degraded_classes(one))), None)
    closed = f"losed at {desk_clock(incident.closed_at or incident.opened_at)} after {took}"
    if other is None:
        return f"{incident.service}: {causes_of(incident)} no longer seen. C{closed}."
    goes_on = f"{causes_of(other)}, see {other.incident_id}"
    return f"{incident.service} is NOT OVER: it goes on as {goes_on}. {causes_of(incident).capitalize()} c{closed}."


def _desk_text(
    incidents: Sequence[IncidentState], words: PageWords, others: tuple[IncidentState, ...], now: datetime
) -> str:
    """Say of each class that the desk was notified of whether it trades again; nothing is good that nobody saw.

    Steps: what was seen at the close says nothing of a later moment, and is reported as of then. A class that one of
    the incidents leaves as not trading does not trade, whatever another says.
    """
    first = incidents[0]
    closed_at = desk_clock(first.closed_at or first.opened_at, words.time_zone)
    again = {name: other for other in others if other.is_open for name in degraded_classes(other)}
    left: dict[AssetClass, str] = {}
    named: list[AssetClass] = []
    for one in incidents:
        mine = _notified_classes(one)
        named += mine
        left |= {
            name: _left_words(one, name, again) for name in mine if name not in (one.trading or ()) or name in again
        }
    trading = [name for name in dict.fromkeys(named) if name not in left]
    how = f"was no longer degraded at {closed_at}" if _is_late(first, now) else "is no longer degraded"
    sentences = [f"Order routing for {', '.join(trading)} {how}."] if trading else []
    sentences += _by_words(left)
    said = " ".join(sentences or dict.fromkeys(_over(one) for one in incidents))
    ids = "".join(f" [{one.incident_id}]" for one in incidents)
    return f"{said} Closed at {closed_at} after {_took(*incidents)}.{ids}"


def _over(incident: IncidentState) -> str:
    """Say that a trouble that named no class is over: after a stall, how the service is says its own incident."""
    if set(incident.causes) == {Cause.MONITOR_BLIND}:
        return f"{incident.service} is checked each minute again."
    return f"{incident.service}: {causes_of(incident)} no longer seen."


def _by_words(told: Mapping[AssetClass, str]) -> list[str]:
    """Write a sentence for each thing that is said, with all classes that it is said of."""
    groups: dict[str, list[str]] = {}
    for name, words in told.items():
        groups.setdefault(words, []).append(name)
    return [f"{', '.join(names).capitalize()}: {words}." for words, names in groups.items()]


def degraded_classes(incident: IncidentState) -> tuple[AssetClass, ...]:
    """Name the classes that an incident is about, or that the desk was notified of in it."""
    return (*incident.asset_classes, *_notified_classes(incident))


def notified_class(about: str) -> AssetClass | None:
    """Read which class a notice to the desk says is degraded; None for every other message."""
    name = about.removeprefix(DESK_KEY)
    return AssetClass.read(name) if name != about and name not in set(Action) else None


def _notified_classes(incident: IncidentState) -> tuple[AssetClass, ...]:
    return classes_in(notified_class(about_of(key, incident.incident_id)) for key in told_now(incident))


def _left_words(incident: IncidentState, name: AssetClass, again: dict[AssetClass, IncidentState]) -> str:
    if other := again.get(name):
        began_at = other.reopened_at or other.opened_at
        how = "still degraded" if incident.closed_at and began_at <= incident.closed_at else "degraded again"
        return f"{how}, see {other.incident_id}"
    unseen = "the problem is no longer seen; no order has proven yet that it trades"
    return incident.not_trading.get(name) or unseen
