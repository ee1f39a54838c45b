"""Market hours against what the exchanges published; every row is a fact, not a reading of our own code."""

from datetime import UTC, datetime

import pytest

from tasks.clients.market.calendars import read_calendar
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.orders import AssetClass
from tasks.rules.market.hours import DEFAULT_CALENDARS, market_hours, parse_at

S = MarketSession


def hours_of(asset_class: str, at: str) -> MarketHours:
    """Ask as `runbook inspect market` does."""
    named = AssetClass(asset_class)
    moment = parse_at(at)
    return market_hours(named, read_calendar(DEFAULT_CALENDARS[named], moment), moment)


def utc(text: str) -> datetime:
    """Read a time of the tables."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


EQUITY = [
    # The day after Thanksgiving ends at 13:00 New York.
    ("2026-11-27T17:59:59Z", S.EARLY_CLOSE_DAY, "2026-11-30T14:30", "2026-11-27T18:00"),
    ("2026-11-27T18:00Z", S.CLOSED_EARLY, "2026-11-30T14:30", "2026-11-30T21:00"),
    ("2026-11-27T18:30Z", S.CLOSED_EARLY, "2026-11-30T14:30", "2026-11-30T21:00"),
    ("2026-11-26T15:00Z", S.HOLIDAY, "2026-11-27T14:30", "2026-11-27T18:00"),
    # An ordinary winter day, to the second.
    ("2026-11-24T14:29:59Z", S.CLOSED, "2026-11-24T14:30", "2026-11-24T21:00"),
    ("2026-11-24T14:30Z", S.REGULAR, "2026-11-25T14:30", "2026-11-24T21:00"),
    ("2026-11-24T20:59:59Z", S.REGULAR, "2026-11-25T14:30", "2026-11-24T21:00"),
    ("2026-11-24T21:00Z", S.CLOSED, "2026-11-25T14:30", "2026-11-25T21:00"),
    ("2026-11-28T15:00Z", S.WEEKEND, "2026-11-30T14:30", "2026-11-30T21:00"),
    # New York changed its clocks on 2026-03-08, Europe on 03-29; the US week between counts by New York's.
    ("2026-03-06T14:00Z", S.CLOSED, "2026-03-06T14:30", "2026-03-06T21:00"),
    ("2026-03-09T13:30Z", S.REGULAR, "2026-03-10T13:30", "2026-03-09T20:00"),
    ("2026-10-30T20:30Z", S.CLOSED, "2026-11-02T14:30", "2026-11-02T21:00"),
    # Juneteenth has been a holiday since 2022 only.
    ("2021-06-18T15:00Z", S.REGULAR, "2021-06-21T13:30", "2021-06-18T20:00"),
    ("2022-06-20T15:00Z", S.HOLIDAY, "2022-06-21T13:30", "2022-06-21T20:00"),
    ("2026-06-19T15:00Z", S.HOLIDAY, "2026-06-22T13:30", "2026-06-22T20:00"),
    # Good Friday, with an earlier Easter than the clock change of Europe or not.
    ("2024-03-29T15:00Z", S.HOLIDAY, "2024-04-01T13:30", "2024-04-01T20:00"),
    ("2026-04-03T15:00Z", S.HOLIDAY, "2026-04-06T13:30", "2026-04-06T20:00"),
    # A New Year's Day on a Saturday is not moved to the Friday; on a Sunday it moves to the Monday.
    ("2021-12-31T15:00Z", S.REGULAR, "2022-01-03T14:30", "2021-12-31T21:00"),
    ("2023-01-02T15:00Z", S.HOLIDAY, "2023-01-03T14:30", "2023-01-03T21:00"),
    ("2027-01-01T15:00Z", S.HOLIDAY, "2027-01-04T14:30", "2027-01-04T21:00"),
    # Independence Day: the eve is a half day, or the observed holiday when the 4th is a Saturday.
    ("2025-07-03T17:30Z", S.CLOSED_EARLY, "2025-07-07T13:30", "2025-07-07T20:00"),
    ("2026-07-03T15:00Z", S.HOLIDAY, "2026-07-06T13:30", "2026-07-06T20:00"),
    ("2024-12-24T17:59Z", S.EARLY_CLOSE_DAY, "2024-12-26T14:30", "2024-12-24T18:00"),
    # The day of mourning for President Carter.
    ("2025-01-09T15:00Z", S.HOLIDAY, "2025-01-10T14:30", "2025-01-10T21:00"),
    ("2030-12-25T15:00Z", S.HOLIDAY, "2030-12-26T14:30", "2030-12-26T21:00"),
]

FUTURE = [
    # The halt from 16:00 to 17:00 Chicago, in winter and in summer.
    ("2026-11-24T21:59:59Z", S.REGULAR, "2026-11-24T23:00", "2026-11-24T22:00"),
    ("2026-11-24T22:00Z", S.HALT, "2026-11-24T23:00", "2026-11-25T22:00"),
    ("2026-11-24T22:59:59Z", S.HALT, "2026-11-24T23:00", "2026-11-25T22:00"),
    ("2026-11-24T23:00Z", S.REGULAR, "2026-11-25T23:00", "2026-11-25T22:00"),
    ("2026-07-15T21:30Z", S.HALT, "2026-07-15T22:00", "2026-07-16T21:00"),
    ("2026-07-15T22:30Z", S.REGULAR, "2026-07-16T22:00", "2026-07-16T21:00"),
    # Friday ends the week at 16:00, Sunday opens it at 17:00; the second Sunday has the other clock.
    ("2026-11-20T22:00Z", S.CLOSED, "2026-11-22T23:00", "2026-11-23T22:00"),
    ("2026-11-21T12:00Z", S.WEEKEND, "2026-11-22T23:00", "2026-11-23T22:00"),
    ("2026-11-22T22:59Z", S.WEEKEND, "2026-11-22T23:00", "2026-11-23T22:00"),
    ("2026-11-22T23:00Z", S.REGULAR, "2026-11-23T23:00", "2026-11-23T22:00"),
    ("2026-03-06T22:30Z", S.CLOSED, "2026-03-08T22:00", "2026-03-09T21:00"),
    ("2026-10-30T21:30Z", S.CLOSED, "2026-11-01T23:00", "2026-11-02T22:00"),
    # US holidays stop at noon Chicago and go on at 17:00.
    ("2026-11-26T17:59Z", S.EARLY_CLOSE_DAY, "2026-11-26T23:00", "2026-11-26T18:00"),
    ("2026-11-26T18:00Z", S.CLOSED_EARLY, "2026-11-26T23:00", "2026-11-27T18:15"),
    ("2025-01-20T18:30Z", S.CLOSED_EARLY, "2025-01-20T23:00", "2025-01-21T22:00"),
    ("2024-06-19T16:59Z", S.EARLY_CLOSE_DAY, "2024-06-19T22:00", "2024-06-19T17:00"),
    ("2024-06-19T17:00Z", S.CLOSED_EARLY, "2024-06-19T22:00", "2024-06-20T21:00"),
    ("2021-06-18T17:30Z", S.REGULAR, "2021-06-20T22:00", "2021-06-18T21:00"),
    # Half days end at 12:15 Chicago.
    ("2026-11-27T18:10Z", S.EARLY_CLOSE_DAY, "2026-11-29T23:00", "2026-11-27T18:15"),
    ("2026-11-27T18:30Z", S.CLOSED_EARLY, "2026-11-29T23:00", "2026-11-30T22:00"),
    ("2017-07-03T17:15Z", S.CLOSED_EARLY, "2017-07-03T22:00", "2017-07-04T17:00"),
    ("2026-12-24T18:15Z", S.CLOSED_EARLY, "2026-12-27T23:00", "2026-12-28T22:00"),
    # Closed all day: Christmas, New Year, most Good Fridays.
    ("2025-12-25T15:00Z", S.HOLIDAY, "2025-12-25T23:00", "2025-12-26T22:00"),
    ("2023-01-02T00:30Z", S.HOLIDAY, "2023-01-02T23:00", "2023-01-03T22:00"),
    ("2024-03-29T15:00Z", S.HOLIDAY, "2024-03-31T22:00", "2024-04-01T21:00"),
    # A Good Friday with a jobs report, and the days of mourning of 2018 and 2025.
    ("2015-04-03T13:00Z", S.EARLY_CLOSE_DAY, "2015-04-05T22:00", "2015-04-03T13:15"),
    ("2018-12-05T14:30Z", S.CLOSED_EARLY, "2018-12-05T23:00", "2018-12-06T22:00"),
    ("2025-01-09T14:29Z", S.EARLY_CLOSE_DAY, "2025-01-09T23:00", "2025-01-09T14:30"),
]

FX = [
    # Friday 17:00 New York is 21:00 UTC in summer and 22:00 in winter.
    ("2026-07-17T20:59:59Z", S.REGULAR, "2026-07-19T21:00", "2026-07-17T21:00"),
    ("2026-07-17T21:00Z", S.WEEKEND, "2026-07-19T21:00", "2026-07-24T21:00"),
    ("2026-11-20T21:59:59Z", S.REGULAR, "2026-11-22T22:00", "2026-11-20T22:00"),
    ("2026-11-20T22:00Z", S.WEEKEND, "2026-11-22T22:00", "2026-11-27T22:00"),
    ("2026-11-22T21:59Z", S.WEEKEND, "2026-11-22T22:00", "2026-11-27T22:00"),
    ("2026-11-22T22:00Z", S.REGULAR, "2026-11-29T22:00", "2026-11-27T22:00"),
    # The weekends on which New York changes its clocks.
    ("2026-03-07T12:00Z", S.WEEKEND, "2026-03-08T21:00", "2026-03-13T21:00"),
    ("2026-10-31T12:00Z", S.WEEKEND, "2026-11-01T22:00", "2026-11-06T22:00"),
    # A weekday night in which the UTC-based calendar of the library has a gap elsewhere.
    ("2026-11-25T00:00Z", S.REGULAR, "2026-11-29T22:00", "2026-11-27T22:00"),
]

CASES = [(name, *row) for name, rows in (("equity", EQUITY), ("future", FUTURE), ("fx", FX)) for row in rows]


@pytest.mark.parametrize(("asset_class", "at", "session", "next_open", "next_close"), CASES)
def test_hours_are_those_the_exchange_published(
    asset_class: str, at: str, session: MarketSession, next_open: str, next_close: str
) -> None:
    """A wrong hour either wakes a person for a closed market or hides a dead one."""
    hours = hours_of(asset_class, at)

    assert (hours.session, hours.next_open, hours.next_close) == (session, utc(next_open), utc(next_close))
    assert hours.open is (session in {S.REGULAR, S.EARLY_CLOSE_DAY})


@pytest.mark.parametrize("at", ["2015-01-01T00:00Z", "2026-11-28T12:00Z", "2030-12-31T23:59Z"])
def test_crypto_is_open_for_ever(at: str) -> None:
    """A market without a close has no next opening either: both are null, and it is open."""
    hours = hours_of("crypto", at)

    assert (hours.open, hours.next_open, hours.next_close) == (True, None, None)


def test_the_answer_in_json_is_rfc_3339_in_utc() -> None:
    """Whoever reads the command line's JSON gets times with a Z, whatever offset the question had."""
    answer = hours_of("equity", "2026-11-27T13:30-05:00").model_dump(mode="json")

    assert answer["at"] == "2026-11-27T18:30:00Z"
    assert answer["next_open"] == "2026-11-30T14:30:00Z"
    assert answer["session"] == "closed_early"


NEW_YORK_HOLIDAYS = {
    2020: "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25",
    2021: "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
    2022: "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    2023: "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
    2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
}


@pytest.mark.parametrize("year", NEW_YORK_HOLIDAYS)
def test_new_york_is_closed_on_its_holidays_and_on_no_other_weekday(year: int) -> None:
    """The list is the exchange's own; a new release of the library that loses one fails here."""
    calendar = read_calendar("XNYS", datetime(year, 7, 1, tzinfo=UTC))
    trading = {session.trade_date for session in calendar.sessions}
    days = (datetime.fromordinal(datetime(year, 1, 1).toordinal() + n).date() for n in range(366))  # noqa: DTZ001

    closed = [f"{day:%m-%d}" for day in days if day.year == year and day.weekday() < 5 and day not in trading]

    assert closed == NEW_YORK_HOLIDAYS[year].split()
