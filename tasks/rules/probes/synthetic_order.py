"""The quarantine of the synthetic order (safety rule 14)."""

import re
from collections.abc import Mapping

from tasks.model.probes.orders import AssetClass, SyntheticOrder

STRATEGY = "runbook-synthetic"
# A test symbol says so: exchanges publish theirs (ZVZZT, ZXZZT, NTEST.A …), and venues without any use TEST or TST.
TEST_SYMBOL = re.compile(r"^(Z[A-Z]ZZT|(?=[A-Z]*TEST)[A-Z]++([./-].+)?|TST[./-].+)$")


def quarantine_fault(order: SyntheticOrder) -> str | None:
    """Say why a configured synthetic order may not be sent, or None when it may.

    Runbook: §1.3 Verify order delivery.
    Source: Nasdaq test symbols ZVZZT, ZWZZT, ZXZZT; NYSE NTEST, ATEST, CTEST series.
    """
    if order.symbol not in order.allowed_symbols and not TEST_SYMBOL.fullmatch(order.symbol):
        return f"expected a test symbol or one of allowed_symbols was symbol={order.symbol}; the order was not sent"
    if order.quantity > order.quantity_cap:
        return f"expected quantity<={order.quantity_cap} was quantity={order.quantity}; the order was not sent"
    return None


def order_values(order: SyntheticOrder, asset_class: AssetClass, client_order_id: str) -> dict[str, str | None]:
    """Give what a description's template of the order may ask for; numbers are written out, and a price may be none."""
    has_price = order.order_type == "limit" and order.limit_price is not None
    return {
        "client_order_id": client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": format(order.quantity, "f"),
        "order_type": order.order_type,
        "limit_price": format(order.limit_price, "f") if has_price and order.limit_price is not None else None,
        "time_in_force": order.time_in_force,
        "asset_class": asset_class,
        "strategy": STRATEGY,
    }


# Whose values are words of ours, and may be others to the service; an id, a symbol and a number are no words.
IN_WORDS = frozenset({"side", "order_type", "time_in_force", "asset_class"})


def in_words(values: Mapping[str, str | None], words: Mapping[str, str]) -> dict[str, str | None]:
    """Say the words of an order as its service does."""
    return {
        name: words.get(value.lower(), value) if value and name in IN_WORDS else value for name, value in values.items()
    }


def synthetic_body(order: SyntheticOrder, asset_class: AssetClass, client_order_id: str) -> dict[str, object]:
    """Write the order as `POST /orders` takes it; decimals are strings."""
    limit_price = str(order.limit_price) if order.order_type == "limit" and order.limit_price is not None else None
    return {
        "client_order_id": client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "order_type": order.order_type,
        "limit_price": limit_price,
        "time_in_force": order.time_in_force,
        "asset_class": asset_class,
        "strategy": STRATEGY,
        "synthetic": True,
    }
