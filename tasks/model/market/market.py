"""Market hours as values: sessions as a calendar lists them, and one answer at one time."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class MarketSession(StrEnum):
    """Which part of the trading week a time falls in. The first two are open, the others closed."""

    REGULAR = "regular"
    """Open, in a session of ordinary length (a market that never closes is always here)."""
    EARLY_CLOSE_DAY = "early_close_day"
    """Open, in a session that ends earlier than usual."""
    HALT = "halt"
    """Closed for two hours at most inside the trading week: the daily futures halt, a lunch break."""
    CLOSED_EARLY = "closed_early"
    """Closed, because this trade date's session ended early."""
    CLOSED = "closed"
    """Closed out of hours on a trading day."""
    WEEKEND = "weekend"
    """Closed on a day of the week without trading."""
    HOLIDAY = "holiday"
    """Closed on a day of the week that trades in other weeks."""


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One session of a calendar; it may carry one break, such as a lunch hour."""

    trade_date: date
    opens_at: datetime
    closes_at: datetime
    is_early: bool = False
    break_from: datetime | None = None
    break_until: datetime | None = None

    def closing_at(self, moment: datetime, *, is_early: bool) -> "TradingSession":
        """Copy the session with another close."""
        return replace(self, closes_at=moment, is_early=is_early)


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """The sessions of one market around the time asked, oldest first.

    Units: `weekdays` count Monday as 0; `rolls_before_midnight` is how long before local midnight the next trade date
    begins; `data_end` is the last day whose holidays are known, where that is near or past.
    """

    name: str
    time_zone: str
    sessions: tuple[TradingSession, ...] = ()
    weekdays: frozenset[int] = frozenset(range(5))
    rolls_before_midnight: timedelta = timedelta(0)
    never_closes: bool = False
    data_end: date | None = None


class MarketHours(Value):
    """Whether a market is open at a time, and when that changes; times are UTC.

    `next_open` is the first opening and `next_close` the first closing after `at`, whatever the state at `at`. So an
    open market's next close comes before its next open. Both are None for a market that never closes. `note` says where
    the holidays of the calendar are not known, or soon will not be.
    """

    asset_class: AssetClass
    calendar: str
    at: AwareDatetime
    open: bool
    session: MarketSession
    next_open: AwareDatetime | None
    next_close: AwareDatetime | None
    note: str = ""
