"""Whom the events of a calendar name."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.people.calendar_events import CalendarEvent, CalendarRead
from tasks.model.people.person import Person
from tasks.model.people.rota import RotaSettings
from tasks.rules.people.calendar_shifts import shifts_named

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
WEEK = timedelta(weeks=1)
PEOPLE = {"ada": Person(name="Ada Lovelace", logins=("alovelace",)), "sam": Person(), "samantha": Person()}
ROTA = RotaSettings(calendar_file="rota.ics", time_zone="Europe/Berlin", hand_over="09:00")


def event(summary: str, *attendees: str, starts: datetime = AT, ends: datetime = AT + WEEK) -> CalendarEvent:
    """One event of a week."""
    return CalendarEvent(summary=summary, attendees=attendees, starts=starts, ends=ends)


@pytest.mark.parametrize(
    ("summary", "attendees", "who"),
    [
        ("Ada Lovelace", (), "ada"),
        ("On call: ADA", (), "ada"),
        ("Primary (alovelace)", (), "ada"),
        ("sam", (), "sam"),
        ("samantha on call", (), "samantha"),
        ("On call", ("mailto:ada@example.com",), "ada"),
        ("On call", ("Ada Lovelace",), "ada"),
        ("ada is away", ("mailto:sam@example.com",), "sam"),
    ],
)
def test_an_event_names_one_person(summary: str, attendees: tuple[str, ...], who: str) -> None:
    """By attendee, else by key, name or login in the summary."""
    named = shifts_named(CalendarRead(events=(event(summary, *attendees),)), ROTA, PEOPLE)

    assert [one.person for one in named.shifts] == [who]
    assert named.fault == ""


@pytest.mark.parametrize("summary", ["Eve", "ada and sam", "", "Canada", "adam"])
def test_an_event_that_names_nobody_or_two_is_no_shift(summary: str) -> None:
    """Nobody is guessed at: the tier is reached as a whole."""
    named = shifts_named(CalendarRead(events=(event(summary),)), ROTA, PEOPLE)

    assert named.shifts == ()
    assert named.fault == f"event {summary or 'without a summary'!r} names no one person of [people]"


def test_two_shifts_that_overlap_are_one_line() -> None:
    """The later one counts, and somebody is to look at the calendar."""
    events = (event("ada"), event("sam", starts=AT + timedelta(days=2)))

    assert shifts_named(CalendarRead(events=events), ROTA, PEOPLE).fault == (
        "the shifts of ada and sam overlap at 2026-12-03T08:00:00.000Z, the later one counts"
    )


def test_times_without_a_zone_and_whole_days_are_those_of_the_rota() -> None:
    """A whole day is from hand-over to hand-over."""
    local = datetime(2026, 12, 1, 8)  # noqa: DTZ001 - a time on the wall
    floating = event("ada", starts=local, ends=local + WEEK)
    days = CalendarEvent(
        summary="sam",
        starts=datetime(2026, 12, 8),  # noqa: DTZ001
        ends=datetime(2026, 12, 9),  # noqa: DTZ001
        whole_days=True,
    )
    found = shifts_named(CalendarRead(events=(floating, days)), ROTA, PEOPLE).shifts

    assert [(one.person, one.starts, one.ends) for one in found] == [
        ("ada", datetime(2026, 12, 1, 7, tzinfo=UTC), datetime(2026, 12, 8, 7, tzinfo=UTC)),
        ("sam", datetime(2026, 12, 8, 8, tzinfo=UTC), datetime(2026, 12, 9, 8, tzinfo=UTC)),
    ]


def test_an_event_without_a_length_is_no_shift() -> None:
    """Nobody is on call for no time."""
    assert shifts_named(CalendarRead(events=(event("ada", ends=AT),)), ROTA, PEOPLE).shifts == ()
