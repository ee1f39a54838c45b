"""The fixed world of the stub: asset classes, their gateways, and what becomes of an order."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from order_service.api.contract import Document, ErrorBody, ExecutionBody, RejectBody, error_body, order_document
from order_service.runtime.clock import now_text
from order_service.runtime.codes import Code

RELEASE = "stub"
ROUTES = {"equity": ("XNAS", "XNYS"), "future": ("XCME",), "fx": ("FXALL", "XCME"), "crypto": ("CRYP",)}
TEST_SYMBOLS = {"equity": "ZVZZT", "future": "TESTF", "fx": "TST/USD", "crypto": "TST-USD"}
GATEWAYS = {"XNAS": ["equity"], "XNYS": ["equity"], "XCME": ["future", "fx"], "FXALL": ["fx"], "CRYP": ["crypto"]}
FEATURES = ("limit_price_band", "order_throttle")
LIMITS = {"max_quantity": "1000000", "max_synthetic_quantity": "10"}
TABLE_HASH = f"{zlib.crc32(json.dumps(ROUTES).encode()):064x}"
OLDER_HASH = f"{zlib.crc32(b'older'):064x}"
HASHES = (TABLE_HASH, OLDER_HASH)
STARTED_AT = now_text()


@dataclass(frozen=True, slots=True)
class Trade:
    """Say what becomes of an order: how it is answered, and with which execution."""

    http_status: int = 201
    status: str = "filled"
    reject: RejectBody | None = None
    error: ErrorBody | None = None
    has_execution_block: bool = True


FILLED = Trade()
TIMED_OUT = error_body(Code.GATEWAY_TIMEOUT, "the gateway did not answer in time")
UNKNOWN = Trade(http_status=202, status="unknown", error=TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Placed:
    """One order that stands here, by its number."""

    client_order_id: str
    order_id: str
    status: str
    gateway: str
    accepted_at: str
    release: str = RELEASE


def placed_document(asked: Mapping[str, Any], gateway: str, number: int, trade: Trade) -> Document:
    placed = Placed(asked["client_order_id"], f"stub-{number:08d}", trade.status, gateway, now_text())
    execution = None if trade.error else _execution(asked, gateway, number, trade)
    document = order_document(placed, asked, execution, trade.error)
    if not trade.has_execution_block:
        del document["execution"]
    return document


def _execution(asked: Mapping[str, Any], gateway: str, number: int, trade: Trade) -> ExecutionBody:
    filled = trade.status == "filled"
    quantity, price = (str(asked["quantity"]), "100.00") if filled else ("0", None)
    return {
        "gateway": gateway,
        "gateway_order_id": f"{gateway}-O{number:08d}",
        "exec_id": f"{gateway}-E{number:08d}",
        "exec_type": "trade" if filled else "rejected",
        "ord_status": trade.status,
        "last_qty": quantity,
        "last_px": price,
        "cum_qty": quantity,
        "leaves_qty": "0",
        "avg_px": price,
        "transact_time": now_text(),
        "latency_ms": 1.0,
        "reject": trade.reject,
    }
