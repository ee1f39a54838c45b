"""Order words as the desk and FIX say them."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from tasks.model.values import Value


class AssetClass(StrEnum):
    """The asset classes that are routed apart."""

    EQUITY = "equity"
    FUTURE = "future"
    FX = "fx"
    CRYPTO = "crypto"


class Side(StrEnum):
    """FIX tag 54, in words."""

    BUY = "buy"
    SELL = "sell"


class SyntheticOrder(Value):
    """One quarantined test order (safety rule 14). Units: `quantity` and `quantity_cap` in the venue's units."""

    symbol: str = Field(min_length=1, max_length=32)
    allowed_symbols: tuple[str, ...] = ()
    side: Side = Side.BUY
    quantity: Decimal = Field(default=Decimal(1), gt=0)
    quantity_cap: Decimal = Field(default=Decimal(1), gt=0)
    order_type: Literal["limit", "market"] = "limit"
    limit_price: Decimal | None = Field(default=Decimal(10), gt=0)
    time_in_force: str = "day"
