"""Markets whose data end, whose holidays the library misses, and whose hours a person writes down."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from tasks.clients.market.calendars import read_calendar
from tasks.clients.market.hours import market_check
from tasks.model.errors import RunbookError
from tasks.model.market.market import MarketCalendar, MarketHours, MarketSession, TradingSession
from tasks.model.market.own_calendar import OwnCalendar
from tasks.model.probes.orders import AssetClass
from tasks.rules.market.hours import WARNED_BEFORE, market_hours
from tasks.rules.market.own_calendar import extended
from tasks.settings import load_settings


def hours(calendar: str, at: str, **own: OwnCalendar) -> MarketHours:
    """How a market stands at a time."""
    moment = datetime.fromisoformat(at)
    return market_hours(AssetClass.EQUITY, read_calendar(calendar, moment, own), moment)


@pytest.mark.parametrize(
    ("calendar", "at", "is_open"),
    [
        ("CMES", "2026-04-03T13:14:00Z", True),
        ("CMES", "2026-04-03T13:15:00Z", False),
        ("CMES", "2026-04-02T22:30:00Z", True),
        ("FX", "2026-12-24T21:59:00Z", True),
        ("FX", "2026-12-24T22:00:00Z", False),
        ("FX", "2026-12-25T12:00:00Z", False),
        ("FX", "2026-12-27T22:00:00Z", True),
        ("FX", "2026-12-31T21:59:00Z", True),
        ("FX", "2027-01-01T12:00:00Z", False),
        ("FX", "2025-12-25T22:00:00Z", True),
        ("FX", "2026-11-26T12:00:00Z", True),
        ("XBOM", "2026-02-01T03:44:00Z", False),
        ("XBOM", "2026-02-01T03:45:00Z", True),
        ("XBOM", "2026-02-01T10:00:00Z", False),
        ("XBOM", "2026-02-08T06:00:00Z", False),
    ],
)
def test_days_that_differ_from_the_week(calendar: str, at: str, is_open: bool) -> None:
    """A reject on a holiday is no fault, and silence on a trading day is one."""
    assert hours(calendar, at).open is is_open


def test_a_jobs_report_on_good_friday_makes_a_short_day_and_no_holiday() -> None:
    """On 2026-04-03 the equity index contracts ended at 8:15 Chicago."""
    assert hours("CMES", "2026-04-03T13:00:00Z").session is MarketSession.EARLY_CLOSE_DAY
    assert hours("CMES", "2026-04-03T15:00:00Z").session is MarketSession.CLOSED_EARLY
    assert hours("FX", "2026-12-25T12:00:00Z").session is MarketSession.HOLIDAY


@pytest.mark.parametrize("calendar", ["XSHG", "XBOM", "XSES"])
@pytest.mark.parametrize("day", ["2026-12-30", "2026-12-31", "2027-01-04", "2027-03-10", "2027-12-15", "2030-06-12"])
def test_no_day_is_without_an_answer_where_the_data_end(calendar: str, day: str) -> None:
    """The triage of a trading hour must not find its calendar unreadable."""
    found = hours(calendar, f"{day}T05:45:00Z")

    assert found.open
    assert "2026-12-31" in found.note
    assert found.next_close
    assert found.next_close - found.at < timedelta(hours=8)


def test_whoever_runs_it_is_warned_before_the_data_end() -> None:
    """Sixty days are enough to install newer data, and nobody is notified all year."""
    assert hours("XSHG", "2026-06-30T03:00:00Z").note == ""
    assert hours("XSHG", "2026-11-01T03:00:00Z").note == ""
    assert hours("XSHG", "2026-11-02T03:00:00Z").note.startswith("holidays known only until")
    assert hours("XSHG", "2026-12-31T03:00:00Z").note.startswith("holidays known only until")
    assert hours("XSHG", "2027-01-04T03:00:00Z").note.startswith("holidays not known")
    assert hours("XNYS", "2026-12-31T15:00:00Z").note == ""
    assert timedelta(days=60) == WARNED_BEFORE


def test_after_the_data_end_the_ordinary_week_goes_on_by_the_clock_on_the_wall() -> None:
    """Lunch stays lunch, also after a change of the clocks; what is closed by law stays closed."""
    assert hours("XSHG", "2027-03-10T04:00:00Z").session is MarketSession.HALT
    assert not hours("XSHG", "2027-02-08T03:00:00Z").open
    assert not hours("XSHG", "2027-03-13T03:00:00Z").open
    friday = TradingSession(date(2026, 3, 6), *(datetime(2026, 3, 6, hour, tzinfo=UTC) for hour in (14, 21)))
    week = MarketCalendar("T", "America/New_York", (friday,), data_end=date(2026, 3, 6))
    later = extended(week, date(2026, 3, 20), closed={date(2026, 3, 20)}).sessions

    assert [session.trade_date for session in later] == [date(2026, 3, 6), date(2026, 3, 13)]
    assert later[1].opens_at.hour == 13


OWN = OwnCalendar(
    time_zone="Europe/London",
    sessions=("08:00-12:00", "13:00-16:30"),
    holidays=frozenset({date(2026, 12, 1)}),
    half_days={date(2026, 12, 2): time(12, 30), date(2026, 12, 3): time(14, 0)},
    extra_days=frozenset({date(2026, 12, 5)}),
)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-30T07:59:00Z", False),
        ("2026-11-30T08:00:00Z", True),
        ("2026-11-30T12:30:00Z", False),
        ("2026-11-30T16:29:00Z", True),
        ("2026-11-30T16:30:00Z", False),
        ("2026-12-01T10:00:00Z", False),
        ("2026-12-02T11:59:00Z", True),
        ("2026-12-02T13:30:00Z", False),
        ("2026-12-03T13:59:00Z", True),
        ("2026-12-03T14:00:00Z", False),
        ("2026-12-05T10:00:00Z", True),
        ("2026-12-06T10:00:00Z", False),
        ("2026-07-01T07:00:00Z", True),
    ],
)
def test_a_person_s_own_sessions_and_holidays_count(at: str, is_open: bool) -> None:
    """A venue that no library knows has hours, too."""
    assert hours("desk", at, desk=OWN).open is is_open


def test_a_session_over_midnight_belongs_to_the_day_on_which_it_ends() -> None:
    """Futures open on the evening before."""
    night = OwnCalendar(time_zone="America/Chicago", sessions=("17:00-16:00",), holidays=frozenset({date(2026, 12, 2)}))

    assert hours("night", "2026-11-29T23:00:00Z", night=night).open
    assert not hours("night", "2026-11-29T22:59:00Z", night=night).open
    assert not hours("night", "2026-12-01T23:30:00Z", night=night).open
    assert hours("night", "2026-12-02T12:00:00Z", night=night).session is MarketSession.HOLIDAY
    assert hours("night", "2026-12-02T23:00:00Z", night=night).open


def test_a_base_keeps_what_is_not_set() -> None:
    """Next year's holidays are added to a calendar whose data end."""
    own = OwnCalendar(base="XSHG", holidays=frozenset({date(2027, 3, 10)}), half_days={date(2027, 3, 11): time(11, 0)})

    assert not hours("mine", "2027-03-10T03:00:00Z", mine=own).open
    assert hours("mine", "2027-03-12T03:00:00Z", mine=own).open
    assert hours("mine", "2027-03-11T02:59:00Z", mine=own).session is MarketSession.EARLY_CLOSE_DAY
    assert not hours("mine", "2027-03-11T05:30:00Z", mine=own).open


def test_the_settings_hand_calendars_to_every_service(tmp_path: Path) -> None:
    """One table for all services of a firm."""
    path = tmp_path / "runbook.toml"
    path.write_text(
        '[calendars.desk]\ntime_zone = "Europe/London"\nsessions = ["08:00-16:30"]\nholidays = [2026-12-01]\n'
        'half_days = { 2026-12-24 = "12:30" }\n[services.oms]\ncalendars = { equity = "desk" }\n',
        "utf-8",
    )
    service = load_settings({"RUNBOOK_CONFIG": str(path)}).service("oms")

    assert market_check(service, AssetClass.EQUITY, datetime(2026, 11, 30, 9, tzinfo=UTC)).open
    assert not market_check(service, AssetClass.EQUITY, datetime(2026, 12, 1, 9, tzinfo=UTC)).open
    assert not market_check(service, AssetClass.EQUITY, datetime(2026, 12, 24, 13, tzinfo=UTC)).open


@pytest.mark.parametrize("line", ['sessions = ["8-16"]', 'holidays = ["soon"]', 'time_zone = "Mars/Base"', "open = 1"])
def test_a_calendar_that_makes_no_sense_is_one_clear_line(tmp_path: Path, line: str) -> None:
    """A typing error must not make a market seem closed for ever."""
    path = tmp_path / "runbook.toml"
    path.write_text(f"[calendars.desk]\n{line}\n", "utf-8")
    with pytest.raises(RunbookError, match=r"calendars\.desk"):
        load_settings({"RUNBOOK_CONFIG": str(path)})
