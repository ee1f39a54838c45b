"""Order words as the desk and FIX say them."""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tasks.model.values import Value

CLASS_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class AssetClass(str):
    """What is routed and paused apart from the rest: an open set, each named by one word in small letters.

    Errors: `ValueError` for what is no such word.
    """

    __slots__ = ()

    EQUITY: ClassVar["AssetClass"]
    FUTURE: ClassVar["AssetClass"]
    FX: ClassVar["AssetClass"]
    CRYPTO: ClassVar["AssetClass"]

    def __new__(cls, name: str) -> Self:
        if not CLASS_NAME.fullmatch(name):
            raise ValueError("an asset class is expected: one word in small letters, as equity or listed_option")
        return super().__new__(cls, name)

    @classmethod
    def read(cls, name: object) -> Self | None:
        """Read a name out of an answer, a label or a record; None where it names no class."""
        return cls(name) if isinstance(name, str) and CLASS_NAME.fullmatch(name) else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read and write it as the text that it is."""
        del source, handler
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


AssetClass.EQUITY, AssetClass.FUTURE = AssetClass("equity"), AssetClass("future")
AssetClass.FX, AssetClass.CRYPTO = AssetClass("fx"), AssetClass("crypto")
# Those that need no description: they have a calendar, and the bundled service trades them.
WELL_KNOWN = (AssetClass.EQUITY, AssetClass.FUTURE, AssetClass.FX, AssetClass.CRYPTO)


def classes_in(*groups: Iterable[object]) -> tuple[AssetClass, ...]:
    """List the asset classes among some names, each once: the well-known first, then by name."""
    found = {known for group in groups for name in group if (known := AssetClass.read(name)) is not None}
    return (*(name for name in WELL_KNOWN if name in found), *sorted(found.difference(WELL_KNOWN)))


# FIX tag 59: such an order never rests.
NOW_OR_NEVER = frozenset({"ioc", "fok", "immediate_or_cancel", "fill_or_kill", "3", "4"})


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
