"""§1.1 Gather context: is trading live."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.market.hours import markets_now
from tasks.model.market.market import MarketHours
from tasks.settings import load_settings


@task(name="check_market_hours", cache_policy=NO_CACHE, timeout_seconds=20)
def check_market_hours(service: str) -> tuple[MarketHours, ...]:
    """Say for each routed asset class whether its market is open, and when that changes.

    Runbook: §1.1 Is trading live.
    Errors: none; a class whose calendar cannot say is left out.
    """
    return markets_now(load_settings().service(service))
