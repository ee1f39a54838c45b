"""Calendars from outside: what they say is kept, what is broken is one line, and nobody waits for them."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.people.calendar_reader import EVENTS_LIMIT_COUNT, read_calendar, read_text
from tasks.clients.people.calendar_refresh import refresh_calendars
from tasks.clients.people.kept_calendar import read_kept
from tasks.clients.people.on_call import NOT_READ, person_on_call, roster_between, words_now
from tasks.model.diagnosis.diagnosis import Audience
from tasks.settings import RunbookSettings, ServiceSettings

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
FROM, UNTIL = NOW - timedelta(days=2), NOW + timedelta(days=30)
ADA = "DTSTART;TZID=Europe/Berlin:20261130T080000\nDTEND;TZID=Europe/Berlin:20261207T080000\nSUMMARY:Ada"
DAILY = "DTSTART:20261101T080000Z\nDTEND:20261101T090000Z\nSUMMARY:Ada\nRRULE:FREQ="


def calendar(*events: str, head: str = "") -> str:
    """One calendar of these events."""
    listed = "".join(f"BEGIN:VEVENT\nUID:{number}\n{one}\nEND:VEVENT\n" for number, one in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{head}{listed}END:VCALENDAR\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (calendar(ADA), ""),
        (calendar(ADA, DAILY + "SECONDLY"), "a rule by the second or minute is no shift, and is left out"),
        (calendar(ADA, DAILY + "NEVER"), "an event cannot be read, and is left out"),
        (calendar(ADA, "DTSTART:soon\nSUMMARY:Ada"), "an event cannot be read, and is left out"),
        (calendar(ADA, "SUMMARY:Ada"), "an event has no time to start that can be read, and is left out"),
        (
            calendar(ADA, ADA.replace("Europe/Berlin", "No/Where")),
            "the time zone 'No/Where' of an event is not known, and the event is left out",
        ),
        (calendar(ADA, ADA.replace("Ada", "Sam") + "\nSTATUS:CANCELLED"), ""),
    ],
)
def test_one_event_that_cannot_be_read_takes_no_other_away(text: str, fault: str) -> None:
    """Somebody's slip in a calendar of a hundred people wakes nobody else."""
    read = read_text(text, FROM, UNTIL)

    assert [(one.summary, one.starts) for one in read.events] == [("Ada", datetime(2026, 11, 30, 7, tzinfo=UTC))]
    assert read.fault == fault


def test_a_rule_is_followed_through_a_change_of_the_clocks_and_its_exceptions() -> None:
    """A turn begins by the clock on the wall; one that was moved is where it was moved to."""
    rule = "DTSTART;TZID=America/New_York:20261026T080000\nDURATION:PT12H\nSUMMARY:Ada\nRRULE:FREQ=WEEKLY;COUNT=3"
    moved = "BEGIN:VEVENT\nUID:0\nRECURRENCE-ID;TZID=America/New_York:20261109T080000\n"
    moved += "DTSTART;TZID=America/New_York:20261110T080000\nDURATION:PT12H\nSUMMARY:Sam\nEND:VEVENT\n"
    read = read_text(calendar(rule, head=moved), datetime(2026, 10, 1, tzinfo=UTC), UNTIL)

    assert [(one.summary, one.starts) for one in read.events] == [
        ("Ada", datetime(2026, 10, 26, 12, tzinfo=UTC)),
        ("Ada", datetime(2026, 11, 2, 13, tzinfo=UTC)),
        ("Sam", datetime(2026, 11, 10, 13, tzinfo=UTC)),
    ]


def test_there_is_a_bound_on_what_is_read() -> None:
    """A page must not wait while ten thousand events are sorted."""
    read = read_text(calendar(DAILY + "HOURLY"), FROM, UNTIL + timedelta(days=30))

    assert len(read.events) == EVENTS_LIMIT_COUNT
    assert read.fault.startswith(f"more than {EVENTS_LIMIT_COUNT} events")


@pytest.mark.parametrize("text", ["", "<html>Sign in</html>", "BEGIN:VCALENDAR\n" * 50, "\0", "X" * 10_000])
def test_what_is_no_calendar_is_one_line(text: str) -> None:
    """An address that asks to sign in answers with a page."""
    read = read_calendar(text, FROM, UNTIL)

    assert (read.events, read.fault) == ((), "it cannot be read as iCalendar")


def test_a_rule_without_an_end_is_given_up() -> None:
    """It costs a process of its own, which is ended."""
    endless = calendar("DTSTART:00010101T080000Z\nDTEND:00010101T090000Z\nSUMMARY:Ada\nRRULE:FREQ=HOURLY")

    assert read_calendar(endless, FROM, UNTIL, limit_s=0.5).fault == (
        "it takes longer than 0.5 s to read; look for a rule without an end"
    )


@pytest.fixture
def rota(tmp_path: Path) -> Iterator[Path]:
    """The file of the calendar."""
    path = tmp_path / "rota.ics"
    path.write_text(calendar(ADA), "utf-8")
    return path


def settings_of(tmp_path: Path, **rota: Any) -> RunbookSettings:
    """A host whose tier 1 has a calendar."""
    known = {"services": {"order-service": ServiceSettings()}, "people": {"ada": {"name": "Ada"}, "sam": {}}}
    return RunbookSettings.model_validate({"state_dir": tmp_path / "var", "on_call": {"tier_1": rota}, **known})


def test_a_page_reads_what_was_kept_and_says_so_where_it_is_old(tmp_path: Path, rota: Path) -> None:
    """The calendar is away when the network is, which is when people are paged."""
    settings = settings_of(tmp_path, calendar_file=rota)
    assert words_now(settings, Audience.TIER_1, NOW) == "On call: not known. See `runbook oncall`."
    refresh_calendars(settings, NOW)
    rota.unlink()
    later = NOW + timedelta(days=2)
    refresh_calendars(settings, later)

    kept = read_kept(settings, Audience.TIER_1)
    assert kept is not None
    assert (kept.read_at, kept.asked_at) == (NOW, later)
    assert kept.fault == f"{rota}: No such file or directory"
    assert words_now(settings, Audience.TIER_1, later) == (
        "On call: Ada, until 2026-12-07 07:00Z, by the calendar of 2026-12-01 12:00Z."
    )


def test_a_calendar_that_was_never_read_names_nobody_but_who_stands_in(tmp_path: Path) -> None:
    """An override is in the settings, and needs no calendar."""
    override = {"person": "sam", "starts": NOW - timedelta(hours=1), "ends": NOW + timedelta(hours=1)}
    settings = settings_of(tmp_path, calendar_file=tmp_path / "none.ics", overrides=[override])
    roster = roster_between(settings, Audience.TIER_1, NOW, NOW + timedelta(hours=3))

    assert roster is not None
    assert roster.fault == NOT_READ
    assert not roster.covers(NOW)
    found = person_on_call(settings, Audience.TIER_1, NOW)
    assert found is not None
    assert found[0] == "sam"
    assert person_on_call(settings, Audience.TIER_1, NOW + timedelta(hours=2)) is None


def test_another_calendar_does_not_inherit_what_was_kept(tmp_path: Path, rota: Path) -> None:
    """Whoever names another file reads that one."""
    refresh_calendars(settings_of(tmp_path, calendar_file=rota), NOW)
    other = settings_of(tmp_path, calendar_file=tmp_path / "none.ics")
    refresh_calendars(other, NOW)

    kept = read_kept(other, Audience.TIER_1)
    assert kept is not None
    assert (kept.shifts, kept.read_at) == ((), None)


def test_a_calendar_that_is_too_large_is_not_read(tmp_path: Path, rota: Path) -> None:
    """Ten megabytes are no rota."""
    rota.write_text(calendar(ADA) + "\n" * 2_200_000, "utf-8")
    settings = settings_of(tmp_path, calendar_file=rota)
    refresh_calendars(settings, NOW)

    kept = read_kept(settings, Audience.TIER_1)
    assert kept is not None
    assert kept.fault == "it is larger than 2 MiB"


def test_who_asks_again_within_the_minute_reads_nothing(tmp_path: Path, rota: Path) -> None:
    """`runbook oncall` twice in a row costs one reading."""
    settings = settings_of(tmp_path, calendar_file=rota)
    refresh_calendars(settings, NOW)
    rota.unlink()
    refresh_calendars(settings, NOW + timedelta(seconds=30), timedelta(minutes=1))

    kept = read_kept(settings, Audience.TIER_1)
    assert kept is not None
    assert (kept.asked_at, kept.fault) == (NOW, "")


def test_whoever_checks_the_rota_imports_no_calendar_library() -> None:
    """A healthy minute pays for none of them: they are the child's alone."""
    program = (
        "import sys, tasks.work.people.rota_check as _; print({'icalendar', 'recurring_ical_events'} & {*sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert ended.stdout.strip() == "set()"
