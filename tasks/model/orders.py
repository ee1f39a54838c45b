"""Order words as the desk and FIX say them."""

from enum import StrEnum


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
