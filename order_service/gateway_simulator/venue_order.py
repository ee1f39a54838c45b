"""An order as a venue reads it, and the price it trades at: the same for a symbol in every process and on every run."""

import zlib
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from order_service.runtime.validation import first_problem

AssetClass = Literal["equity", "future", "fx", "crypto"]
ASSET_CLASSES: tuple[AssetClass, ...] = ("equity", "future", "fx", "crypto")
Amount = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=30)]


class MalformedOrder(ValueError):
    """The body is no order; `field` is the one that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Order(BaseModel):
    """Hold one new order; fields the venue does not know are left aside."""

    model_config = ConfigDict(frozen=True)

    client_order_id: str = Field(min_length=1, max_length=128)
    symbol: str = Field(min_length=1, max_length=64)
    side: Literal["buy", "sell", "sell_short"]
    quantity: Amount
    order_type: str = Field(min_length=1, max_length=32)
    asset_class: AssetClass
    limit_price: Amount | None = None
    time_in_force: str | None = Field(default=None, max_length=32)
    synthetic: bool = False


def parse_order(body: bytes) -> Order:
    """Read an order from the body of a request.

    Errors: MalformedOrder, naming the first field that is wrong.
    """
    try:
        return Order.model_validate_json(body)
    except ValidationError as error:
        raise MalformedOrder(*first_problem(error, "body")) from None


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
