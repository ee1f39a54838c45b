"""Say whether a market is open at a time and when that changes, from plain session lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.market.market import MarketCalendar, MarketHours, MarketSession, TradingSession
from tasks.model.probes.orders import AssetClass
from tasks.rules.market.corrections import corrected

FIRST_YEAR, LAST_YEAR = 2015, 2030
# The longest pause that is part of the trading day: futures stop for one hour, Shanghai takes one and a half for lunch.
LONGEST_HALT = timedelta(hours=2)
# The year's last data must be replaced before they end; somebody has to be reported of it in time.
WARNED_BEFORE = timedelta(days=60)
DEFAULT_CALENDARS = {
    AssetClass.EQUITY: "XNYS",
    AssetClass.FUTURE: "CMES",
    AssetClass.FX: "FX",
    AssetClass.CRYPTO: "24/7",
}


@dataclass(frozen=True, slots=True)
class _Span:
    """One unbroken stretch of open market; the close is the first closed instant."""

    start: datetime
    end: datetime
    session: TradingSession


def market_hours(asset_class: AssetClass, calendar: MarketCalendar, at: datetime) -> MarketHours:
    """Say whether the market is open at `at`, in which session, and when it opens and closes next.

    Runbook: §1.1 Is trading live.
    Errors: `CannotObserve` when the calendar does not reach the next change; `RunbookError` for a bad time.
    Steps: 1. correct what the calendar library has wrong. 2. join sessions that touch. 3. find the stretch around `at`.
    """
    at = checked_time(at)
    if calendar.never_closes and not calendar.sessions:
        return _answer(asset_class, calendar.name, at, MarketSession.REGULAR)
    known = corrected(calendar)
    spans = list(_spans(known.sessions))
    current = next((span for span in spans if span.start <= at < span.end), None)
    session = _open_session(current) if current else _closed_session(known, spans, at)
    next_open = min((span.start for span in spans if span.start > at), default=None)
    next_close = min((span.end for span in spans if span.end > at), default=None)
    if calendar.never_closes:
        # Its sessions are listed for a while only: where they end, nothing closes.
        next_close = None if next_close == spans[-1].end else next_close
    elif next_open is None or next_close is None:
        raise CannotObserve(
            Code.CALENDAR_UNREADABLE,
            f"expected sessions after the time asked, was none calendar={calendar.name} at={at.isoformat()}; "
            "the calendar library does not reach that far",
        )
    answer = _answer(asset_class, calendar.name, at, session, (next_open, next_close))
    return answer.model_copy(update={"note": _note(known, at)})


def parse_at(text: str) -> datetime:
    """Read the time of a question: RFC 3339 with an offset or Z.

    Errors: `RunbookError` for text that is no time, or a time without an offset (whose hours would be a guess).
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _bad_time(f"expected a time like 2026-11-27T18:30Z, was {text[:40]!r}") from None
    return checked_time(moment)


def checked_time(moment: datetime) -> datetime:
    """Turn an aware time of a covered year into UTC.

    Errors: `RunbookError` for a naive time, or a year that the calendars do not cover.
    """
    if moment.utcoffset() is None:
        raise _bad_time(f"expected a time with an offset, was {moment.isoformat()}; add Z or +00:00")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise _bad_time(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, was {moment.year}") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _bad_time(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, was {moment.year}")
    return moment


def _bad_time(detail: str) -> RunbookError:
    return RunbookError(Code.BAD_ARGUMENT, f"{detail} argument=at")


def _spans(sessions: tuple[TradingSession, ...]) -> Iterator[_Span]:
    """Cut sessions at their breaks and join those that touch, so that every edge is a real change."""
    waiting: _Span | None = None
    for piece in (piece for session in sessions for piece in _pieces(session)):
        if waiting and piece.start <= waiting.end:
            waiting = _Span(waiting.start, max(waiting.end, piece.end), piece.session)
            continue
        if waiting:
            yield waiting
        waiting = piece
    if waiting:
        yield waiting


def _pieces(session: TradingSession) -> Iterator[_Span]:
    pause, resume = session.break_from, session.break_until
    if pause is None or resume is None:
        yield _Span(session.opens_at, session.closes_at, session)
        return
    yield _Span(session.opens_at, pause, session)
    if resume < session.closes_at:
        yield _Span(resume, session.closes_at, session)


def _open_session(span: _Span) -> MarketSession:
    return MarketSession.EARLY_CLOSE_DAY if span.session.is_early else MarketSession.REGULAR


def _closed_session(calendar: MarketCalendar, spans: list[_Span], at: datetime) -> MarketSession:
    before = next((span for span in reversed(spans) if span.end <= at), None)
    after = next((span for span in spans if span.start > at), None)
    if before and after and after.start - before.end <= LONGEST_HALT:
        return MarketSession.HALT
    # Wall-clock arithmetic on purpose: a trade date rolls at a local time of day, on both sides of a clock change.
    wall = at.astimezone(ZoneInfo(calendar.time_zone)).replace(tzinfo=None)
    trade_date = (wall + calendar.rolls_before_midnight).date()
    if before and before.session.is_early and before.session.trade_date == trade_date:
        return MarketSession.CLOSED_EARLY
    if any(session.trade_date == trade_date for session in calendar.sessions):
        return MarketSession.CLOSED
    return MarketSession.HOLIDAY if trade_date.weekday() in calendar.weekdays else MarketSession.WEEKEND


def _note(calendar: MarketCalendar, at: datetime) -> str:
    """Say where the holidays of a calendar are not known, or soon will not be."""
    end = calendar.data_end
    if end is None or at.date() <= end - WARNED_BEFORE:
        return ""
    what = "holidays not known: its data ended" if at.date() > end else "holidays known only until its data end"
    return f"{what} on {end}; install newer exchange-calendars, or name the holidays in [calendars.NAME] with base"


def _answer(
    asset_class: AssetClass,
    calendar: str,
    at: datetime,
    session: MarketSession,
    changes: tuple[datetime | None, datetime | None] = (None, None),
) -> MarketHours:
    return MarketHours(
        asset_class=asset_class,
        calendar=calendar,
        at=at,
        open=session in {MarketSession.REGULAR, MarketSession.EARLY_CLOSE_DAY},
        session=session,
        next_open=changes[0],
        next_close=changes[1],
    )
