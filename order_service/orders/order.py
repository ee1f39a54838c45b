"""The words of an order: what a client may ask for, and what can become of it."""

import hashlib
import math
import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from order_service.api.contract import AssetClass, OrderStatus

PLAIN_DECIMAL = r"^(?:[1-9][0-9]{0,8}(?:\.[0-9]{1,9})?|0\.[0-9]{0,8}[1-9]0{0,9})$"
_PLAIN = re.compile(PLAIN_DECIMAL.removeprefix("^").removesuffix("$"))
SMALLEST = Decimal("0.000000001")
LARGEST = Decimal(999_999_999)
_EXPECTED = "expected a positive decimal from 0.000000001 to 999999999, as a string such as '12.5' or as a number"


def _positive(raw: Any) -> Decimal:
    if isinstance(raw, str) and _PLAIN.fullmatch(raw):
        return Decimal(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return _in_range(Decimal(raw))
    if isinstance(raw, float) and math.isfinite(raw):
        return _in_range(Decimal(repr(raw)))
    if isinstance(raw, Decimal) and raw.is_finite():
        return _in_range(raw)
    raise PydanticCustomError("amount", _EXPECTED)


def _in_range(amount: Decimal) -> Decimal:
    if SMALLEST <= amount <= LARGEST:
        return amount
    raise PydanticCustomError("amount", _EXPECTED)


Amount = Annotated[
    Decimal,
    BeforeValidator(_positive),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PLAIN_DECIMAL},
                {"type": "number", "minimum": float(SMALLEST), "maximum": int(LARGEST)},
            ],
            "description": "A positive decimal; a string keeps every digit.",
        }
    ),
]


def plain(amount: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros, so that equal amounts are equal text."""
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


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
        """Give the fields a gateway receives, decimals as plain strings."""
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
