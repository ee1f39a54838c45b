"""Name who is on call in a page, so that whoever reads it knows who comes."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tasks.model.messages.messages import Message
from tasks.model.people.person import Person, shown_name
from tasks.model.people.rota import Roster
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.message_keys import PAGES, about_of
from tasks.rules.incidents.tiers import TIERS
from tasks.rules.people.rota import shift_at

# These ask a tier to come, beside those that its timers count from.
_MORE_PAGES = ("also-", "half-done-", "watch-stopped")
# Within this the time of day alone cannot be taken for that of another day.
SAME_DAY = timedelta(hours=20)
OLD = timedelta(days=1)


def is_page(message: Message) -> bool:
    """Say whether a message asks a tier to come: then it names and calls who is on call."""
    about = about_of(message.key, message.incident_id)
    return message.audience in TIERS and (about in PAGES or about.startswith(_MORE_PAGES))


def with_on_call(message: Message, words: str) -> Message:
    """Add who is on call, as the last line: what is broken comes first."""
    return message.model_copy(update={"text": f"{message.text}\n{words}"}) if words else message


def on_call_words(roster: Roster, people: Mapping[str, Person], now: datetime) -> str:
    """Say who is on call and until when, or that nobody is."""
    shift = shift_at(roster, now)
    if shift is not None:
        return f"On call: {name_of(people, shift.person)}, until {clock_text(shift.ends, now)}{_age(roster, now)}."
    if roster.fault and not roster.covers(now):
        return "On call: not known. See `runbook oncall`."
    return f"On call: nobody{_age(roster, now)}. See `runbook oncall`."


def name_of(people: Mapping[str, Person], key: str) -> str:
    """Name a person; one who has left the settings by the key."""
    return shown_name(key, people[key]) if key in people else key


def clock_text(moment: datetime, now: datetime) -> str:
    """Write a time of the hours around now as the time of day, any other with its date; in UTC, to the minute."""
    text = utc_text(moment)
    return f"{text[11:16]}Z" if abs(moment - now) < SAME_DAY else f"{text[:10]} {text[11:16]}Z"


def _age(roster: Roster, now: datetime) -> str:
    is_old = roster.as_of is not None and now - roster.as_of > OLD
    return f", by the calendar of {clock_text(roster.as_of, now)}" if is_old and roster.as_of else ""
