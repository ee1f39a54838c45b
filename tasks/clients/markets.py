"""Look at the hours of every market that a service trades in; loading the calendars takes 1.6 s."""

from datetime import UTC, datetime

from tasks.clients.market_look import market_look
from tasks.model.errors import RunbookError
from tasks.model.market import MarketHours
from tasks.model.orders import AssetClass
from tasks.settings import ServiceSettings


def markets_now(service: ServiceSettings) -> tuple[MarketHours, ...]:
    """Say for each asset class with a test order whether its market is open.

    Runbook: §1.1 Is trading live.
    Errors: none; a class whose calendar cannot say is left out.
    """
    return markets_at(service, datetime.now(UTC))


def markets_at(service: ServiceSettings, at: datetime) -> tuple[MarketHours, ...]:
    """Say for each asset class with a test order whether its market is open at a time.

    Runbook: §1.1 Is trading live.
    Errors: none; a class whose calendar cannot say is left out.
    """
    found = (_hours(service, name, at) for name in AssetClass if name in service.synthetic_orders)
    return tuple(one for one in found if one is not None)


def _hours(service: ServiceSettings, asset_class: AssetClass, now: datetime) -> MarketHours | None:
    try:
        return market_look(service, asset_class, now)
    except RunbookError:
        return None
