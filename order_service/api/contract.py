"""The words of the contract and its one order document, which the service and the stub both answer with.

Only the standard library (and the typing of it) enters here: the stub must start in a moment.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import (
    Any,
    NotRequired,  # pydantic takes no other before Python 3.12
    Protocol,
)

from typing_extensions import TypedDict

Document = dict[str, Any]


class AssetClass(StrEnum):
    EQUITY = "equity"
    FUTURE = "future"
    FX = "fx"
    CRYPTO = "crypto"


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


class GatewayState(StrEnum):
    """Say how far a gateway may be used; a degraded one still takes orders."""

    ENABLED = "enabled"
    DEGRADED = "degraded"
    DISABLED = "disabled"


class TradingState(StrEnum):
    """Say which new orders an asset class takes; cancels always pass."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class StrategyState(StrEnum):
    """Say whether a strategy's new orders are taken; cancels always pass."""

    ACTIVE = "active"
    HALTED = "halted"


class RouteScope(StrEnum):
    """Say which new orders of a class follow a route: the test orders alone, or all of them."""

    SYNTHETIC = "synthetic"
    ALL = "all"


TRADING_STATE_VALUE = {TradingState.HALTED: 0, TradingState.REDUCING: 1, TradingState.ACTIVE: 2}
STRATEGY_STATE_VALUE = {StrategyState.HALTED: 0, StrategyState.ACTIVE: 2}


class ErrorBody(TypedDict):
    """Why something was refused, or what is missing from an answer; `field` is the one it is about."""

    code: str
    message: str
    field: str | None


class ErrorDocument(TypedDict):
    error: ErrorBody


class RejectBody(TypedDict):
    code: str
    text: str


class ExecutionBody(TypedDict):
    """What the gateway did; decimals are strings, `transact_time` is RFC 3339."""

    gateway: str
    gateway_order_id: str | None
    exec_id: str | None
    exec_type: str
    ord_status: str
    last_qty: str | None
    last_px: str | None
    cum_qty: str | None
    leaves_qty: str | None
    avg_px: str | None
    transact_time: str
    latency_ms: float
    reject: RejectBody | None


class OrderDocument(TypedDict):
    """An order that stands in the journal; `error` is there only when there is one."""

    order_id: str
    client_order_id: str
    asset_class: AssetClass
    status: OrderStatus
    gateway: str | None
    release: str
    accepted_at: str
    synthetic: bool
    execution: ExecutionBody | None
    error: NotRequired[ErrorBody]


class JournalDocument(OrderDocument):
    """An order as the journal knows it now, with what was asked."""

    order: Document


class JournalPage(TypedDict):
    """Orders in the order they came; `next` goes into `after` for the following page."""

    orders: list[JournalDocument]
    next: int | None


class PlacedOrder(Protocol):
    """What is known of an order beside what was asked and what came of it."""

    @property
    def order_id(self) -> str: ...
    @property
    def client_order_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def gateway(self) -> str | None: ...
    @property
    def release(self) -> str: ...
    @property
    def accepted_at(self) -> str: ...


def order_document(placed: PlacedOrder, asked: Mapping[str, Any], execution: object, error: object) -> Document:
    """Write an order in the shape of `OrderDocument`; execution and error may be JSON that is written already."""
    document: Document = {
        "order_id": placed.order_id,
        "client_order_id": placed.client_order_id,
        "asset_class": asked["asset_class"],
        "status": placed.status,
        "gateway": placed.gateway,
        "release": placed.release,
        "accepted_at": placed.accepted_at,
        "synthetic": bool(asked.get("synthetic", False)),
        "execution": execution,
    }
    if error is not None:
        document["error"] = error
    return document


def error_body(code: str, message: str, field: str | None = None) -> ErrorBody:
    return {"code": code, "message": message, "field": field}
