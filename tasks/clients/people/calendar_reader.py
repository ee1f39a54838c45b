"""Read an iCalendar file in a process of its own, which is ended when it takes too long: `python -m` this module.

A calendar comes from outside: a rule without an end, ten years of events or a broken zone cost this process, and never
a triage or a page. The libraries are imported here alone (0.4 s).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tasks.model.people.calendar_events import CalendarEvent, CalendarRead

READ_S = 15.0
EVENTS_LIMIT_COUNT = 1000
ATTENDEES_LIMIT_COUNT = 20
TEXT_LIMIT_COUNT = 200
UNREADABLE = "it cannot be read as iCalendar"
# What comes more often than by the hour is no shift.
_TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})


def read_calendar(text: str, starts: datetime, ends: datetime, limit_s: float = READ_S) -> CalendarRead:
    """Read the events that touch a time.

    Errors: none; what is wrong with the calendar is one line in `fault`, with what could be read beside it.
    """
    asked = json.dumps({"text": text, "starts": starts.isoformat(), "ends": ends.isoformat()}).encode()
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", __spec__.name], input=asked, capture_output=True, timeout=limit_s, check=False
        )
        return CalendarRead.model_validate_json(ended.stdout)
    except subprocess.TimeoutExpired:
        return CalendarRead(fault=f"it takes longer than {limit_s:g} s to read; look for a rule without an end")
    except (OSError, ValueError):
        return CalendarRead(fault=UNREADABLE)


def read_text(text: str, starts: datetime, ends: datetime) -> CalendarRead:
    """Read the events in this process.

    Errors: what the libraries raise where nothing at all can be read.
    """
    import icalendar  # noqa: PLC0415 - in the child alone
    import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415

    calendar = icalendar.Calendar.from_ical(text)
    faults = list(_without_unusable(calendar))
    try:
        found = recurring_ical_events.of(calendar).between(starts, ends)
    except Exception:  # noqa: BLE001 - an event that one of three libraries cannot read; the others count
        faults.append("an event cannot be read, and is left out")
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(starts, ends)
    if len(found) > EVENTS_LIMIT_COUNT:
        faults.append(f"more than {EVENTS_LIMIT_COUNT} events in the time that is read; the later ones are left out")
    held = [one for one in found if str(one.get("STATUS", "")).upper() != "CANCELLED"]
    events = sorted(map(_event, held), key=lambda one: (str(one.starts), one.summary))
    return CalendarRead(events=tuple(events[:EVENTS_LIMIT_COUNT]), fault="; ".join(dict.fromkeys(faults[:3])))


def _without_unusable(calendar: Any) -> Iterator[str]:
    """Take out the events whose time nobody knows, and say why."""
    for event in tuple(calendar.subcomponents):
        if event.name == "VEVENT" and (why := _unusable(event)):
            calendar.subcomponents.remove(event)
            yield why


def _unusable(event: Any) -> str:
    try:
        return _fault_of(event)
    except Exception:  # noqa: BLE001 - a property that the library refuses when it is asked for
        return "an event cannot be read, and is left out"


def _fault_of(event: Any) -> str:
    start = event.get("DTSTART")
    moment = getattr(start, "dt", None)
    if moment is None:
        return "an event has no time to start that can be read, and is left out"
    zone = str(start.params.get("TZID", ""))[:60]
    if zone and isinstance(moment, datetime) and moment.tzinfo is None:
        return f"the time zone {zone!r} of an event is not known, and the event is left out"
    often = {str(word).upper() for word in getattr(event.get("RRULE"), "get", lambda *_: ())("FREQ", ())}
    return "a rule by the second or minute is no shift, and is left out" if often & _TOO_OFTEN else ""


def _event(found: Any) -> CalendarEvent:
    attendees = found.get("ATTENDEE", [])
    listed = attendees if isinstance(attendees, list) else [attendees]
    named = [text for one in listed[:ATTENDEES_LIMIT_COUNT] for text in (str(one.params.get("CN", "")), str(one))]
    return CalendarEvent(
        summary=str(found.get("SUMMARY", ""))[:TEXT_LIMIT_COUNT],
        attendees=tuple(text[:TEXT_LIMIT_COUNT] for text in named if text),
        starts=_moment(found.start),
        ends=_moment(found.end),
        whole_days=not isinstance(found.start, datetime),
    )


def _moment(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment


def main() -> None:
    """Read from standard input, and write what was found to standard output."""
    asked = json.load(sys.stdin)
    starts, ends = (datetime.fromisoformat(asked[key]) for key in ("starts", "ends"))
    # A rule that has been going on for ever is asked for no more than this.
    ends = min(ends, starts + timedelta(days=400))
    try:
        read = read_text(asked["text"], starts, ends)
    except Exception:  # noqa: BLE001 - the door of this process: whatever it is, the calendar cannot be read
        read = CalendarRead(fault=UNREADABLE)
    sys.stdout.write(read.model_dump_json())


if __name__ == "__main__":
    main()
