"""Sessions that no library lists: those of a person's own calendar, and those after the library's data end."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tasks.model.market.market import MarketCalendar, TradingSession
from tasks.model.market.own_calendar import OwnCalendar
from tasks.rules.market.corrections import corrected

AROUND = timedelta(days=45)
DAY = timedelta(days=1)
# The weeks before the data end, in which each day of the week has a session of ordinary length.
TEMPLATE_DAYS = timedelta(days=35)


def own_calendar(name: str, own: OwnCalendar, at: datetime, base: MarketCalendar | None = None) -> MarketCalendar:
    """Lay out the sessions of a person's own calendar around a time.

    Errors: none; a calendar without sessions and without a base is always closed.
    """
    if base is not None and base.never_closes:
        return replace(base, name=name)
    zone = ZoneInfo(base.time_zone if base else own.time_zone)
    today = at.astimezone(zone).date()
    days = [today + offset * DAY for offset in range(-AROUND.days, AROUND.days + 1)]
    listed = base.sessions if base else ()
    written = [
        session
        for day in days
        if _is_written(day, own, has_base=base is not None)
        for session in _sessions_on(day, own, zone)
    ]
    extra = {session.trade_date for session in written}
    kept = [session for session in listed if session.trade_date not in extra]
    sessions = sorted((*kept, *written), key=lambda session: session.opens_at)
    return MarketCalendar(
        name=name,
        time_zone=zone.key,
        sessions=tuple(_shortened(sessions, own, zone)),
        weekdays=base.weekdays if base else own.weekdays,
        rolls_before_midnight=base.rolls_before_midnight if base else _roll(own),
        data_end=base.data_end if base else None,
    )


def extended(calendar: MarketCalendar, until: date, closed: Iterable[date] = ()) -> MarketCalendar:
    """Go on with the ordinary week where a calendar's data end; holidays after that are not known, but for `closed`.

    Errors: none; a calendar without a data end is given back as it is.
    """
    if calendar.data_end is None or not calendar.sessions:
        return calendar
    zone, end, shut = ZoneInfo(calendar.time_zone), calendar.data_end, frozenset(closed)
    recent = [one for one in calendar.sessions if one.trade_date > end - TEMPLATE_DAYS and not one.is_early]
    by_weekday = {one.trade_date.weekday(): one for one in recent}
    days = [end + offset * DAY for offset in range(1, (until - end).days + 1)]
    more = [
        _moved(by_weekday[day.weekday()], day, zone) for day in days if day not in shut and day.weekday() in by_weekday
    ]
    return replace(calendar, sessions=(*calendar.sessions, *more))


def amended(
    calendar: MarketCalendar, holidays: frozenset[date], sessions: tuple[tuple[datetime, datetime], ...], at: datetime
) -> MarketCalendar:
    """Take the holidays of a class out of its calendar, and put its own sessions in.

    Errors: none; what lies far from the time asked changes nothing.
    """
    zone = ZoneInfo(calendar.time_zone)
    near = [one for one in sessions if one[0] - AROUND <= at <= one[1] + AROUND]
    is_shut = any(abs(day - at.astimezone(zone).date()) <= AROUND for day in holidays)
    if not (near or is_shut) or (calendar.never_closes and not is_shut):
        return calendar
    known = corrected(_by_days(calendar, at) if calendar.never_closes else calendar)
    kept = [one for one in known.sessions if one.trade_date not in holidays]
    more = [TradingSession(one[0].astimezone(zone).date(), one[0], one[1]) for one in near]
    ordered = tuple(sorted((*kept, *more), key=lambda one: one.opens_at))
    return replace(known, name=f"{calendar.name}, amended", sessions=ordered)


def _by_days(calendar: MarketCalendar, at: datetime) -> MarketCalendar:
    """Write a market that never closes as one session a day, so that a day can be taken out."""
    zone = ZoneInfo(calendar.time_zone)
    days = [at.astimezone(zone).date() + offset * DAY for offset in range(-2 * AROUND.days, 2 * AROUND.days + 1)]
    sessions = tuple(TradingSession(day, _moment(day, time(), zone), _moment(day + DAY, time(), zone)) for day in days)
    return replace(calendar, sessions=sessions, weekdays=frozenset(range(7)))


def _is_written(day: date, own: OwnCalendar, *, has_base: bool) -> bool:
    return day in own.extra_days or (not has_base and day.weekday() in own.weekdays and day not in own.holidays)


def _sessions_on(day: date, own: OwnCalendar, zone: ZoneInfo) -> Iterator[TradingSession]:
    for window in own.sessions:
        opens, closes = (time.fromisoformat(part) for part in window.split("-"))
        first = day if opens < closes else day - DAY
        yield TradingSession(day, _moment(first, opens, zone), _moment(day, closes, zone))


def _shortened(sessions: Iterable[TradingSession], own: OwnCalendar, zone: ZoneInfo) -> Iterator[TradingSession]:
    """Leave holidays out, and let half days end early."""
    for session in sessions:
        if session.trade_date in own.holidays and session.trade_date not in own.extra_days:
            continue
        close = own.half_days.get(session.trade_date)
        early = _moment(session.trade_date, close, zone) if close else session.closes_at
        if early <= session.opens_at:
            continue
        yield session.closing_at(early, is_early=True) if early < session.closes_at else session


def _roll(own: OwnCalendar) -> timedelta:
    """Say how long before midnight a trade date begins, where a session opens on the evening before."""
    windows = [tuple(time.fromisoformat(part) for part in window.split("-")) for window in own.sessions]
    evenings = [opens for opens, closes in windows if opens >= closes]
    return DAY - timedelta(hours=min(evenings).hour, minutes=min(evenings).minute) if evenings else timedelta(0)


def _moved(session: TradingSession, day: date, zone: ZoneInfo) -> TradingSession:
    """Give the same session on another day, by the clock on the wall there."""

    def moved(moment: datetime | None) -> datetime | None:
        if moment is None:
            return None
        local = moment.astimezone(zone)
        return _moment(day + (local.date() - session.trade_date), local.time(), zone)

    opens_at, closes_at = moved(session.opens_at), moved(session.closes_at)
    return replace(
        session,
        trade_date=day,
        opens_at=opens_at or session.opens_at,
        closes_at=closes_at or session.closes_at,
        break_from=moved(session.break_from),
        break_until=moved(session.break_until),
    )


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(ZoneInfo("UTC"))
