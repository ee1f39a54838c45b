"""Read the hours of the markets that a service trades in (§1.1); loading the calendars takes 1.6 s."""

from datetime import UTC, datetime

from tasks.clients.market.calendars import read_calendar
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.market.market import MarketHours
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.service.asset_classes import ClassSettings
from tasks.rules.market.corrections import FX
from tasks.rules.market.hours import DEFAULT_CALENDARS, checked_time, market_hours
from tasks.rules.market.own_calendar import amended
from tasks.settings import ServiceSettings


def markets_now(service: ServiceSettings) -> tuple[MarketHours, ...]:
    return markets_at(service, datetime.now(UTC))


def markets_at(service: ServiceSettings, at: datetime) -> tuple[MarketHours, ...]:
    """Say for each asset class that is described, or has a test order, whether its market is open at a time.

    Runbook: §1.1 Is trading live.
    Errors: none; a class whose calendar cannot say is left out.
    """
    found = (_hours(service, name, at) for name in classes_in(service.synthetic_orders, service.asset_classes))
    return tuple(one for one in found if one is not None)


def _hours(service: ServiceSettings, asset_class: AssetClass, now: datetime) -> MarketHours | None:
    try:
        return market_check(service, asset_class, now)
    except RunbookError:
        return None


def market_check(service: ServiceSettings, asset_class: AssetClass, at: datetime) -> MarketHours:
    """Say whether the market of an asset class is open at a time, and when that changes.

    Runbook: §1.1 Is trading live.
    Errors: `BAD_SETTING` for a calendar that nobody has or named; `CALENDAR_UNREADABLE` where it does not reach.
    """
    own, moment = service.asset_classes.get(asset_class, ClassSettings()), checked_time(at)
    calendar = read_calendar(calendar_name(service, asset_class), moment, service.own_calendars)
    return market_hours(asset_class, amended(calendar, own.extra_holidays, own.extra_sessions, moment), moment)


def calendar_name(service: ServiceSettings, asset_class: AssetClass) -> str:
    """Name the calendar that an asset class trades by.

    Errors: `BAD_SETTING` where none is named, and none is usual for a class of that name.
    """
    described = service.asset_classes.get(asset_class, ClassSettings()).calendar
    named = described or service.calendars.get(asset_class) or DEFAULT_CALENDARS.get(asset_class)
    if named is None:
        detail = f"expected a calendar of {asset_class}, was none; set asset_classes.{asset_class}.calendar"
        raise CannotObserve(Code.BAD_SETTING, detail)
    return FX if named.upper() == FX else named


def market_is_open(service: ServiceSettings, asset_class: AssetClass) -> bool | None:
    """Say whether a market is open now, or None where its calendar cannot say."""
    try:
        return market_check(service, asset_class, datetime.now(UTC)).open
    except RunbookError:
        return None
