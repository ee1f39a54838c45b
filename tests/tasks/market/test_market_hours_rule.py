"""The rule on plain session lists, and the properties that hold at any time."""

import pickle
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.market.calendars import calendars_around, keep_calendars, read_calendar
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.market.market import MarketCalendar, MarketSession, TradingSession
from tasks.model.probes.orders import WELL_KNOWN, AssetClass
from tasks.rules.market.hours import DEFAULT_CALENDARS, market_hours, parse_at

MONDAY = date(2026, 11, 23)
# The change that is asked for must lie in a covered year too.
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001
TICK = timedelta(microseconds=1)


def at(hour: float, day: int = 0) -> datetime:
    """Name a time of the example week in UTC."""
    return datetime(2026, 11, 23 + day, tzinfo=UTC) + timedelta(hours=hour)


def lunch_market() -> MarketCalendar:
    """List two days of a market in UTC that closes for lunch."""
    days = [
        TradingSession(MONDAY + timedelta(days=n), at(2, n), at(8, n), break_from=at(4, n), break_until=at(5, n))
        for n in range(2)
    ]
    return MarketCalendar(name="LUNCH", time_zone="UTC", sessions=tuple(days))


@pytest.mark.parametrize(
    ("hour", "session", "next_close"),
    [
        (3, MarketSession.REGULAR, at(4)),
        (4, MarketSession.HALT, at(8)),
        (5, MarketSession.REGULAR, at(8)),
        (8, MarketSession.CLOSED, at(4, 1)),
    ],
)
def test_a_lunch_break_is_a_halt(hour: int, session: MarketSession, next_close: datetime) -> None:
    """An order that is refused at lunch time is not a failing gateway."""
    hours = market_hours(AssetClass.EQUITY, lunch_market(), at(hour))

    assert (hours.session, hours.next_close) == (session, next_close)


def test_sessions_that_touch_are_one_stretch() -> None:
    """A calendar that cuts at midnight closes nothing there."""
    days = tuple(TradingSession(MONDAY + timedelta(days=n), at(0, n), at(24, n)) for n in (0, 1, 3))
    hours = market_hours(AssetClass.CRYPTO, MarketCalendar("CUT", "UTC", days), at(23))

    assert (hours.open, hours.next_close, hours.next_open) == (True, at(24, 1), at(0, 3))


def test_a_calendar_that_ends_too_soon_is_blind_not_closed() -> None:
    """Missing data is never told as a closed market."""
    with pytest.raises(CannotObserve) as caught:
        market_hours(AssetClass.EQUITY, lunch_market(), at(9, 1))

    assert caught.value.code is Code.CALENDAR_UNREADABLE


@pytest.mark.parametrize("asset_class", WELL_KNOWN)
@settings(max_examples=150, deadline=None)
@given(moment=TIMES)
def test_a_market_flips_exactly_where_it_says(asset_class: AssetClass, moment: datetime) -> None:
    """Next open and next close lie ahead, come in the order of the state, and each is the instant of the change."""
    name = DEFAULT_CALENDARS[asset_class]
    hours = market_hours(asset_class, read_calendar(name, moment), moment)
    if hours.next_open is None or hours.next_close is None:
        assert hours.open
        return

    change = min(hours.next_open, hours.next_close)
    assert change > moment
    assert (change == hours.next_close) is hours.open
    for instant, expected in ((change - TICK, hours.open), (change, not hours.open)):
        assert market_hours(asset_class, read_calendar(name, moment), instant).open is expected


@settings(max_examples=100, deadline=None)
@given(moment=TIMES)
def test_the_year_that_is_loaded_changes_no_answer(moment: datetime) -> None:
    """A question on New Year's Eve gets the same answer from this year's list and from the next one's."""
    for name in ("XNYS", "CMES"):
        eve = moment.replace(year=min(moment.year, 2029), month=12, day=31)
        this_year = market_hours(AssetClass.EQUITY, read_calendar(name, eve), eve)
        next_year = market_hours(AssetClass.EQUITY, read_calendar(name, eve + timedelta(days=1)), eve)
        assert this_year == next_year


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-11-27",
        "2026-11-27T18:30",
        "2014-12-31T23:59Z",
        "2031-01-01T00:00Z",
        "0001-01-01T00:00+14:00",
        "9" * 500,
    ],
)
def test_a_bad_time_is_one_clear_error(text: str) -> None:
    """A time without an offset would be a guess about where the person sits."""
    with pytest.raises(RunbookError) as caught:
        parse_at(text)

    assert caught.value.code is Code.BAD_ARGUMENT
    assert "\n" not in caught.value.detail


@settings(max_examples=100)
@given(text=st.text(max_size=60))
def test_any_text_is_a_time_or_one_clear_error(text: str) -> None:
    """No text that a person types ends in a stack trace."""
    try:
        moment = parse_at(text)
    except RunbookError:
        return
    assert moment.utcoffset() == timedelta(0)


def test_an_unknown_calendar_is_a_bad_setting() -> None:
    """A misspelt calendar leaves the market look blind and says which setting to correct."""
    with pytest.raises(CannotObserve) as caught:
        read_calendar("XNYC", at(0))

    assert caught.value.code is Code.BAD_SETTING


@pytest.mark.parametrize("name", ["XNAS", "CME", "XHKG", "XTKS", "XLON", "XTAE", "24/5", "us_futures"])
def test_any_library_calendar_can_be_asked(name: str) -> None:
    """The calendar of a class is a setting; aliases and lunch markets work as New York does."""
    assert market_hours(AssetClass.EQUITY, read_calendar(name, at(0)), at(0)).next_open is not None


def test_a_market_whose_holidays_end_this_year_still_answers() -> None:
    """Shanghai publishes year by year; the list of this year is enough in this year."""
    moment = datetime(2026, 6, 1, 2, tzinfo=UTC)

    assert market_hours(AssetClass.EQUITY, read_calendar("XSHG", moment), moment).open


def test_preloading_reports_nothing_and_stops_nothing() -> None:
    """A bad calendar setting must not keep the worker from starting; the check that needs it reports."""
    assert set(calendars_around(["FX", "NOPE", "XNYS"], at(0))) == {("XNYS", at(0).year)}


def test_what_was_preloaded_is_what_the_library_would_say() -> None:
    """A run that finds the calendars at hand must see the same holidays."""
    expected = read_calendar("XNYS", at(0))

    keep_calendars(pickle.loads(pickle.dumps(calendars_around(["XNYS"], at(0)))))  # noqa: S301 - our own

    assert read_calendar("XNYS", at(0)) == expected
