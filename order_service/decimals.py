"""Decimal amounts at the doors: strings in and out, never a binary float inside."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

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
