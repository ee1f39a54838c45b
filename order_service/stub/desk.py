"""The fixed world of the stub: asset classes, their gateways, and how an order is told."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

RELEASE = "stub"
ROUTES = {"equity": ("XNAS", "XNYS"), "future": ("XCME",), "fx": ("FXALL", "XCME"), "crypto": ("CRYP",)}
TEST_SYMBOLS = {"equity": "ZVZZT", "future": "TESTF", "fx": "TST/USD", "crypto": "TST-USD"}
GATEWAYS = {"XNAS": ["equity"], "XNYS": ["equity"], "XCME": ["future", "fx"], "FXALL": ["fx"], "CRYP": ["crypto"]}
FEATURES = ("limit_price_band", "order_throttle")
LIMITS = {"max_quantity": "1000000", "max_synthetic_quantity": "10"}
TABLE_HASH = f"{zlib.crc32(json.dumps(ROUTES).encode()):064x}"
OLDER_HASH = f"{zlib.crc32(b'older'):064x}"
HASHES = (TABLE_HASH, OLDER_HASH)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trade:
    """Say what becomes of an order: how it is answered, and with which execution."""

    http_status: int = 201
    status: str = "filled"
    reject: Mapping[str, str] | None = None
    error: Mapping[str, str | None] | None = None
    has_execution_block: bool = True


FILLED = Trade()
TIMED_OUT = {"code": "GATEWAY_TIMEOUT", "message": "the gateway did not answer in time", "field": None}
UNKNOWN = Trade(http_status=202, status="unknown", error=TIMED_OUT)


def now() -> str:
    """Give the time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


STARTED_AT = now()


def order_document(asked: Mapping[str, Any], gateway: str, number: int, trade: Trade) -> Document:
    """Tell an order in the shape of the contract."""
    document: Document = {
        "order_id": f"stub-{number:08d}",
        "client_order_id": asked["client_order_id"],
        "asset_class": asked["asset_class"],
        "status": trade.status,
        "gateway": gateway,
        "release": RELEASE,
        "accepted_at": now(),
        "synthetic": bool(asked.get("synthetic", False)),
    }
    if trade.has_execution_block:
        document["execution"] = None if trade.error else _execution(asked, gateway, number, trade)
    if trade.error:
        document["error"] = dict(trade.error)
    return document


def _execution(asked: Mapping[str, Any], gateway: str, number: int, trade: Trade) -> Document:
    quantity = str(asked["quantity"])
    filled = trade.status == "filled"
    return {
        "gateway": gateway,
        "gateway_order_id": f"{gateway}-O{number:08d}",
        "exec_id": f"{gateway}-E{number:08d}",
        "exec_type": "trade" if filled else "rejected",
        "ord_status": trade.status,
        "last_qty": quantity if filled else "0",
        "last_px": "100.00" if filled else None,
        "cum_qty": quantity if filled else "0",
        "leaves_qty": "0",
        "avg_px": "100.00" if filled else None,
        "transact_time": now(),
        "latency_ms": 1.0,
        "reject": dict(trade.reject) if trade.reject else None,
    }
