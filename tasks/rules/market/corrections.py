"""What the calendar library has wrong, put right on top of it; and the two markets it does not have.

The library's `CMES` closes at 17:00 Chicago without the daily halt, ends half days at noon, and misses Juneteenth,
July 3, and the short sessions on a day of mourning and on a Good Friday with a jobs report. `CMES` here means the CME
Globex equity index contracts. Interest rates, currencies, metals and grains differ from these on holidays.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from tasks.model.market.market import MarketCalendar, TradingSession

CHICAGO = ZoneInfo("America/Chicago")
NEW_YORK = ZoneInfo("America/New_York")
FX = "FX"
ALWAYS = "24/7"
CME = "CMES"
# Their sessions run from 17:00 to 17:00 Chicago in the library; the market stops at 16:00.
FUTURES = frozenset({CME, "us_futures"})
FUTURES_OPEN, FUTURES_CLOSE = time(17), time(16)
HALF_DAY_CLOSE = time(12, 15)
HOLIDAY_CLOSE = time(12)
FIRST_JUNETEENTH = 2022
# The library closes these trade dates all day. Sources: CME Group notices of 2018-12-02 and 2024-12-30 (days of
# mourning); CME holiday calendars of 2015, 2021, 2023 and 2026 (a Good Friday with an employment report).
SHORT_SESSIONS = {
    date(2015, 4, 3): time(8, 15),
    date(2018, 12, 5): time(8, 30),
    date(2021, 4, 2): time(8, 15),
    date(2023, 4, 7): time(8, 15),
    date(2026, 4, 3): time(8, 15),
    date(2025, 1, 9): time(8, 30),
}
# Sessions that the library does not have. Source: BSE and NSE notices of January 2026 (Union Budget, a Sunday).
EXTRA_SESSIONS = {"XBOM": {date(2026, 2, 1): (time(9, 15), time(15, 30), ZoneInfo("Asia/Kolkata"))}}
# Closed by law after the library's data end. Sources: the State Council's regulation on public holidays (New Year's
# Day; the eve and the first three days of the lunar year); India's Republic Day.
KNOWN_CLOSED = {
    "XSHG": frozenset({date(2027, 1, 1), date(2027, 2, 5), date(2027, 2, 8), date(2027, 10, 1)}),
    "XBOM": frozenset({date(2027, 1, 26)}),
    "XSES": frozenset({date(2027, 1, 1)}),
}
# No bank settles spot FX on these two days, in any currency.
FX_CLOSED = frozenset({(12, 25), (1, 1)})
FX_TURN = time(17)
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def built_calendar(name: str, at: datetime) -> MarketCalendar | None:
    """Build the markets that need no library: spot FX and a market that never closes; None for any other name."""
    if name == ALWAYS:
        return MarketCalendar(name=ALWAYS, time_zone="UTC", never_closes=True)
    return _fx_calendar(at) if name == FX else None


def corrected(calendar: MarketCalendar) -> MarketCalendar:
    """Put right what the calendar library has wrong of one calendar.

    Source: https://www.cmegroup.com/tools-information/holiday-calendar.html
    """
    if calendar.name in EXTRA_SESSIONS:
        return _with_extra(calendar)
    if calendar.name not in FUTURES:
        return calendar
    halted = tuple(_with_halt(session) for session in calendar.sessions)
    if calendar.name != CME or not halted:
        return replace(calendar, sessions=halted)
    held = {session.trade_date: _with_cme_close(session) for session in halted}
    missing = (_short_session(day) for day in SHORT_SESSIONS if day not in held and min(held) < day < max(held))
    return replace(calendar, sessions=tuple(sorted(chain(held.values(), missing), key=lambda each: each.opens_at)))


def _fx_calendar(at: datetime) -> MarketCalendar:
    """Spot FX trades from Sunday 17:00 to Friday 17:00 New York, but for the trade dates of Christmas and New Year."""
    local = at.astimezone(NEW_YORK).date()
    this_sunday = local - timedelta(days=(local.weekday() + 1) % 7)
    days = (this_sunday + timedelta(days=offset) for offset in range(-7, 28))
    traded = (day for day in days if day.weekday() <= FRIDAY and (day.month, day.day) not in FX_CLOSED)
    sessions = tuple(_fx_day(day) for day in traded)
    return MarketCalendar(FX, "America/New_York", sessions, rolls_before_midnight=timedelta(hours=7))


def _fx_day(day: date) -> TradingSession:
    return TradingSession(day, _local(day - timedelta(days=1), FX_TURN, NEW_YORK), _local(day, FX_TURN, NEW_YORK))


def _with_extra(calendar: MarketCalendar) -> MarketCalendar:
    held = {session.trade_date for session in calendar.sessions}
    extra = (
        TradingSession(day, _local(day, opens, zone), _local(day, closes, zone))
        for day, (opens, closes, zone) in EXTRA_SESSIONS[calendar.name].items()
        if held and day not in held and min(held) < day < max(held)
    )
    ordered = sorted((*calendar.sessions, *extra), key=lambda session: session.opens_at)
    return replace(calendar, sessions=tuple(ordered))


def _with_halt(session: TradingSession) -> TradingSession:
    close = _local(session.trade_date, FUTURES_CLOSE, CHICAGO)
    return session.closing_at(close, is_early=False) if session.closes_at > close else session


def _with_cme_close(session: TradingSession) -> TradingSession:
    day = session.trade_date
    if _is_half_day(day):
        return session.closing_at(_local(day, HALF_DAY_CLOSE, CHICAGO), is_early=True)
    if _is_juneteenth(day):
        return session.closing_at(_local(day, HOLIDAY_CLOSE, CHICAGO), is_early=True)
    return session


def _short_session(day: date) -> TradingSession:
    opens_at = _local(day - timedelta(days=1), FUTURES_OPEN, CHICAGO)
    return TradingSession(day, opens_at, _local(day, SHORT_SESSIONS[day], CHICAGO), is_early=True)


def _is_half_day(day: date) -> bool:
    """Name the days on which New York ends at 13:00, for which the equity index contracts end at 12:15 Chicago."""
    match day.month, day.day:
        # On a Friday these two are the observed holiday itself.
        case (7, 3) | (12, 24):
            return day.weekday() < FRIDAY
        case 11, number:
            return day.weekday() == FRIDAY and 23 <= number <= 29
        case _:
            return False


def _is_juneteenth(day: date) -> bool:
    if day.year < FIRST_JUNETEENTH or day.month != 6:
        return False
    observed = {SATURDAY: 18, SUNDAY: 20}.get(date(day.year, 6, 19).weekday(), 19)
    return day.day == observed


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(ZoneInfo("UTC"))
