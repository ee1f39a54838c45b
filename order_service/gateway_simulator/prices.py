"""Prices that never move: the same symbol always trades at the same price, in every process and on every run."""

import zlib
from decimal import Decimal
from functools import lru_cache

from order_service.gateway_simulator.order import AssetClass, Order

# Lowest price, number of ticks above it, and the tick, so that each class trades where a person expects it.
_LADDERS: dict[AssetClass, tuple[Decimal, int, Decimal]] = {
    "equity": (Decimal("5.00"), 49_500, Decimal("0.01")),
    "future": (Decimal("1000.00"), 16_000, Decimal("0.25")),
    "fx": (Decimal("0.50000"), 150_000, Decimal("0.00001")),
    "crypto": (Decimal("10.00"), 6_000_000, Decimal("0.01")),
}


@lru_cache(maxsize=10_000)
def price_of(asset_class: AssetClass, symbol: str) -> Decimal:
    """Give the price of a symbol, fixed by its name alone."""
    lowest, ticks, tick = _LADDERS[asset_class]
    return lowest + tick * (zlib.crc32(symbol.encode()) % ticks)


def fill_price(order: Order) -> Decimal:
    """Give the price an order trades at: its limit if it names one, for this venue always has a counterparty there."""
    return order.limit_price if order.limit_price is not None else price_of(order.asset_class, order.symbol)
