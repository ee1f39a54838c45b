"""Look at a market's hours with the calendar that the settings name for its asset class (§1.1)."""

from datetime import UTC, datetime

from tasks.clients.calendars import read_calendar
from tasks.model.errors import RunbookError
from tasks.model.market import MarketHours
from tasks.model.orders import AssetClass
from tasks.rules.market_hours import DEFAULT_CALENDARS, market_hours
from tasks.settings import ServiceSettings


def market_look(service: ServiceSettings, asset_class: AssetClass, at: datetime) -> MarketHours:
    """Say whether the market of an asset class is open at a time, and when that changes.

    Runbook: §1.1 Is trading live.
    Errors: `BAD_SETTING` for a calendar that nobody has; `CALENDAR_UNREADABLE` where the calendar does not reach.
    """
    name = service.calendars.get(asset_class, DEFAULT_CALENDARS[asset_class])
    return market_hours(asset_class, read_calendar(name, at, service.own_calendars), at)


def market_is_open(service: ServiceSettings, asset_class: AssetClass) -> bool | None:
    """Say whether a market is open now, or None where its calendar cannot say."""
    try:
        return market_look(service, asset_class, datetime.now(UTC)).open
    except RunbookError:
        return None
