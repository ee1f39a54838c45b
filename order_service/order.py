"""The words of an order: what a client may ask for, and what can become of it."""

import hashlib
from enum import StrEnum
from typing import Annotated, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from order_service.decimals import Amount, plain


class AssetClass(StrEnum):
    """Name the four asset classes the desk trades."""

    EQUITY = "equity"
    FUTURE = "future"
    FX = "fx"
    CRYPTO = "crypto"


class Side(StrEnum):
    """Name the direction."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """Name how the price is set."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """Name how long the order stands."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    """Name what is known of an order; denied, rejected and unknown are three different things."""

    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELED = "canceled"
    DENIED = "denied"
    NOT_RECEIVED = "not_received"


NOT_PROVEN = frozenset({OrderStatus.IN_FLIGHT, OrderStatus.UNKNOWN})
WORKING = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})
OPEN = NOT_PROVEN | WORKING
ANSWERED = WORKING | {OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.CANCELED}

CLIENT_ORDER_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}$"
ClientOrderId = Annotated[str, StringConstraints(pattern=CLIENT_ORDER_ID_PATTERN)]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/\-]{0,31}$")]
STRATEGY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}$"
Strategy = Annotated[str, StringConstraints(pattern=STRATEGY_PATTERN)]

_LIMIT_NEEDS_PRICE: JsonDict = {
    "if": {"properties": {"order_type": {"const": "limit"}}, "required": ["order_type"]},
    "then": {"required": ["limit_price"], "properties": {"limit_price": {"not": {"type": "null"}}}},
    "else": {"properties": {"limit_price": {"type": "null"}}},
}


class NewOrder(BaseModel):
    """One order as a client asks for it.

    Errors: pydantic's ValidationError; unknown fields are refused, since a misspelt `limit_price` costs money.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_LIMIT_NEEDS_PRICE)

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    quantity: Amount
    order_type: OrderType
    limit_price: Amount | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    asset_class: AssetClass
    strategy: Strategy = "unattributed"
    synthetic: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _limit_price_goes_with_limit(self) -> Self:
        if self.order_type is OrderType.LIMIT and self.limit_price is None:
            raise PydanticCustomError("limit_price", "expected limit_price on a limit order, was absent")
        if self.order_type is OrderType.MARKET and self.limit_price is not None:
            raise PydanticCustomError("limit_price", "expected no limit_price on a market order")
        return self

    def venue_fields(self) -> dict[str, object]:
        """Give the fields a gateway is told, decimals as plain strings."""
        return {
            "client_order_id": self.client_order_id,
            "symbol": self.symbol,
            "side": self.side.value,
            "quantity": plain(self.quantity),
            "order_type": self.order_type.value,
            "limit_price": None if self.limit_price is None else plain(self.limit_price),
            "time_in_force": self.time_in_force.value,
            "asset_class": self.asset_class.value,
            "synthetic": self.synthetic,
        }

    def canonical_body(self) -> bytes:
        """Write the order so that the same order is the same bytes, however the client spelled it."""
        return orjson.dumps({**self.venue_fields(), "strategy": self.strategy})


def body_hash(body: bytes) -> str:
    """Digest a canonical body; two bodies under one id must agree on it."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
