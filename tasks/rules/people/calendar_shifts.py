"""Whom the events of a calendar name: by attendee first, then by the words of the summary."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tasks.model.people.calendar_events import CalendarEvent, CalendarRead
from tasks.model.people.person import Person, shown_name
from tasks.model.people.rota import RotaSettings, Shift
from tasks.rules.formats.time import utc_text
from tasks.rules.people.rota import overlaps

_WORD = re.compile(r"\w+")


class Named(NamedTuple):
    """The shifts of a calendar, and in one line what nobody can read out of it."""

    shifts: tuple[Shift, ...]
    fault: str


def shifts_named(read: CalendarRead, rota: RotaSettings, people: Mapping[str, Person]) -> Named:
    """Read the shifts out of the events.

    Errors: none. An event that names nobody, or two people, is no shift; of two that overlap the later one counts.
    """
    names = {key: _names_of(key, person) for key, person in people.items()}
    found = [(event, _who(event, names)) for event in read.events]
    shifts = [shift for event, who in found if who and (shift := _shift(event, who, rota))]
    unknown = next((event.summary or "without a summary" for event, who in found if not who), "")
    twice = overlaps(shifts)
    faults = (
        read.fault,
        f"event {unknown[:60]!r} names no one person of [people]" if unknown else "",
        _overlap_words(twice) if twice else "",
    )
    return Named(tuple(shifts), "; ".join(one for one in faults if one))


def _overlap_words(twice: tuple[Shift, Shift]) -> str:
    before, after = twice
    return f"the shifts of {before.person} and {after.person} overlap at {utc_text(after.starts)}, the later one counts"


def _names_of(key: str, person: Person) -> frozenset[str]:
    return frozenset(one.casefold() for one in (key, shown_name(key, person), *person.logins))


def _who(event: CalendarEvent, names: Mapping[str, frozenset[str]]) -> str:
    """Find the one person whom an event names; empty for nobody, and where it names two."""
    attending = {_plain(one) for one in event.attendees}
    found = [key for key, known in names.items() if attending & known]
    if not found:
        found = [key for key, known in names.items() if _stands_in(known, event.summary.casefold())]
    return found[0] if len(found) == 1 else ""


def _plain(attendee: str) -> str:
    """Take the name out of an address: `mailto:ada@example.com` is `ada`."""
    return attendee.casefold().removeprefix("mailto:").partition("@")[0].strip()


def _stands_in(known: Iterable[str], text: str) -> bool:
    words = f" {_words(text)} "
    return any(f" {_words(name)} " in words for name in known)


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text))


def _shift(event: CalendarEvent, who: str, rota: RotaSettings) -> Shift | None:
    try:
        if event.whole_days:
            starts, ends = (rota.hand_over_on(one.date()) for one in (event.starts, event.ends))
        else:
            starts, ends = (rota.moment(one) for one in (event.starts, event.ends))
    except (OverflowError, ValueError):
        return None
    return Shift(person=who, starts=starts, ends=ends) if starts < ends else None
