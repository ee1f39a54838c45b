"""The only door to exchange-calendars: the sessions of one market around a time, as plain values."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from tasks.model.errors import CannotObserve, Code
from tasks.model.market.market import MarketCalendar, TradingSession
from tasks.model.market.own_calendar import OwnCalendar
from tasks.rules.market.corrections import KNOWN_CLOSED, built_calendar, corrected
from tasks.rules.market.hours import checked_time
from tasks.rules.market.own_calendar import extended, own_calendar

# A year with this much on both sides costs what three weeks cost: the library computes its holidays once either way.
MARGIN = timedelta(days=45)
# How far behind its last data a calendar is still used for the ordinary week.
OLD_DATA_YEARS = 4
NO_OWN: Mapping[str, OwnCalendar] = {}
# The library keeps a registry of calendars that it changes without a lock.
_LIBRARY = threading.Lock()
Year = tuple[str, int]
_KEPT: dict[Year, MarketCalendar] = {}


def read_calendar(name: str, at: datetime, own: Mapping[str, OwnCalendar] = NO_OWN) -> MarketCalendar:
    """Read the sessions of a market around a time: one of one's own, `FX`, `24/7`, or any of exchange-calendars.

    Errors: `RunbookError` for a bad time; `CannotObserve` for a name nobody has, a year the library does not reach,
    or a library that cannot be imported.
    """
    moment = checked_time(at)
    if name in own:
        base = own[name].base
        return own_calendar(name, own[name], moment, corrected(read_calendar(base, at)) if base else None)
    return built_calendar(name, moment) or _year_of(name, moment.year)


def calendars_around(names: Iterable[str], at: datetime) -> dict[Year, MarketCalendar]:
    """Read the calendars of a time and of a month on, for `keep_calendars` of a process that never loads the library.

    Errors: none; what cannot be read now is reported by the check that needs it.
    """
    found: dict[Year, MarketCalendar] = {}
    read = {name for name in names if built_calendar(name, at) is None}
    for name, year in sorted({(name, moment.year) for name in read for moment in (at, at + timedelta(days=31))}):
        with suppress(CannotObserve):
            found[name, year] = _year_of(name, year)
    return found


def keep_calendars(found: Mapping[Year, MarketCalendar]) -> None:
    """Have these years at hand: the library takes 1.6 s and 50 MB to load."""
    _KEPT.update(found)


def _year_of(name: str, year: int) -> MarketCalendar:
    return _KEPT.get((name, year)) or _read_year(name, year)


@lru_cache(maxsize=64)
def _read_year(name: str, year: int) -> MarketCalendar:
    with _LIBRARY:
        calendar, data_end = _library_calendar(name, year)
    values = replace(_as_values(calendar), data_end=data_end)
    return extended(values, date(year, 12, 31) + MARGIN, KNOWN_CLOSED.get(values.name, ()))


def _library() -> Any:
    """Import the library when somebody asks for it; that takes 1.6 s."""
    try:
        import exchange_calendars  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        detail = f"expected exchange-calendars, was not importable: {error}; install the locked requirements"
        raise CannotObserve(Code.CALENDAR_UNREADABLE, detail) from error
    return exchange_calendars


def _library_calendar(name: str, year: int) -> tuple[Any, date | None]:
    """Load a year of sessions and some on both sides; where the library's data end before that, say where.

    Errors: `BAD_SETTING`, `CALENDAR_UNREADABLE`.
    """
    exchange_calendars = _library()
    if name not in exchange_calendars.get_calendar_names():
        detail = (
            f"expected FX, 24/7 or a name of exchange-calendars, was {name[:40]!r}; correct the setting `calendars`"
        )
        raise CannotObserve(Code.BAD_SETTING, detail)
    # Some markets publish holidays year by year: the library refuses a window that ends after the last one it has.
    refused = ""
    for start, end, data_end in _windows(year):
        try:
            return exchange_calendars.get_calendar(name, start=start.isoformat(), end=end.isoformat()), data_end
        except (ValueError, NotImplementedError, exchange_calendars.errors.CalendarError) as error:
            refused = refused or str(error)
    detail = f"expected sessions of calendar={name} year={year}, was refused by the library: {refused[:160]}"
    raise CannotObserve(Code.CALENDAR_UNREADABLE, detail)


def _windows(year: int) -> Iterator[tuple[date, date, date | None]]:
    """Give what to ask for, in turn: the year, and where the data end before it, the last year that there is."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    yield first - MARGIN, last + MARGIN, None
    yield first, last + MARGIN, None
    for back in range(OLD_DATA_YEARS + 1):
        first, last = date(year - back, 1, 1), date(year - back, 12, 31)
        yield first - MARGIN, last, last
        yield first, last, last


def _as_values(calendar: Any) -> MarketCalendar:
    early = {moment.date() for moment in calendar.early_closes}
    rows = zip(calendar.opens.items(), calendar.closes, calendar.break_starts, calendar.break_ends, strict=True)
    sessions = tuple(
        TradingSession(
            label.date(), _moment(opens), _moment(closes), label.date() in early, _pause(pause), _pause(resume)
        )
        for (label, opens), closes, pause, resume in rows
    )
    return MarketCalendar(
        name=calendar.name,
        time_zone=str(calendar.tz),
        sessions=sessions,
        weekdays=frozenset(index for index, trades in enumerate(calendar.weekmask) if trades == "1"),
        rolls_before_midnight=_roll(calendar),
    )


def _moment(stamp: Any) -> datetime:
    moment: datetime = stamp.to_pydatetime()
    return moment


def _pause(stamp: Any) -> datetime | None:
    # The library's "no break" is NaT, the one value that differs from itself.
    return _moment(stamp) if stamp == stamp else None  # noqa: PLR0124


def _roll(calendar: Any) -> timedelta:
    """Say how long before midnight the next trade date begins, where sessions open on the evening before."""
    if calendar.open_offset >= 0:
        return timedelta(0)
    opens = calendar.open_times[-1][1]
    return timedelta(hours=24) - timedelta(hours=opens.hour, minutes=opens.minute)
