"""What a venue says of an order: one execution, in the words of the gateway protocol."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypedDict

from order_service.gateway_simulator.fault import Fault, FaultKind
from order_service.gateway_simulator.order import Order
from order_service.gateway_simulator.prices import fill_price

ExecType = Literal["new", "trade", "rejected", "canceled"]
OrdStatus = Literal["new", "partially_filled", "filled", "rejected", "canceled"]
OPEN_STATUSES = frozenset({"new", "partially_filled"})


class Reject(TypedDict):
    """Say why the venue refused."""

    code: str
    text: str


class Execution(TypedDict):
    """Hold the venue's answer; amounts are decimal strings.

    The client's own order id comes along so that an answer on the wrong connection can be told from the right one.
    """

    client_order_id: str
    gateway_order_id: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    last_qty: str
    last_px: str | None
    cum_qty: str
    leaves_qty: str
    avg_px: str | None
    transact_time: str
    reject: Reject | None


@dataclass(frozen=True, slots=True)
class Ids:
    """Hold the two names the venue gives: one for the order, one for this event."""

    gateway_order_id: str
    exec_id: str


def now() -> str:
    """Give the time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def execute(order: Order, ids: Ids, fault: Fault) -> Execution:
    """Trade an order, as far as the fault lets it."""
    match fault.fault:
        case FaultKind.REJECT:
            return rejected(order.client_order_id, ids, {"code": fault.code, "text": fault.text})
        case FaultKind.ACK_WITHOUT_FILL:
            return _acknowledged(order, ids)
        case FaultKind.PARTIAL_FILL:
            return _traded(order, ids, order.quantity / 2)
        case _:
            return _traded(order, ids, order.quantity)


def rejected(client_order_id: str, ids: Ids, reason: Reject) -> Execution:
    """Refuse an order; nothing of it is left."""
    return {
        "client_order_id": client_order_id,
        "gateway_order_id": ids.gateway_order_id,
        "exec_id": ids.exec_id,
        "exec_type": "rejected",
        "ord_status": "rejected",
        "last_qty": "0",
        "last_px": None,
        "cum_qty": "0",
        "leaves_qty": "0",
        "avg_px": None,
        "transact_time": now(),
        "reject": reason,
    }


def canceled(execution: Execution, exec_id: str) -> Execution:
    """Take what is left of an order off the book; what traded stays traded."""
    return {
        **execution,
        "exec_id": exec_id,
        "exec_type": "canceled",
        "ord_status": "canceled",
        "last_qty": "0",
        "last_px": None,
        "leaves_qty": "0",
        "transact_time": now(),
    }


def _acknowledged(order: Order, ids: Ids) -> Execution:
    return {
        "client_order_id": order.client_order_id,
        "gateway_order_id": ids.gateway_order_id,
        "exec_id": ids.exec_id,
        "exec_type": "new",
        "ord_status": "new",
        "last_qty": "0",
        "last_px": None,
        "cum_qty": "0",
        "leaves_qty": format(order.quantity, "f"),
        "avg_px": None,
        "transact_time": now(),
        "reject": None,
    }


def _traded(order: Order, ids: Ids, quantity: Decimal) -> Execution:
    price = format(fill_price(order), "f")
    done = format(quantity, "f")
    return {
        "client_order_id": order.client_order_id,
        "gateway_order_id": ids.gateway_order_id,
        "exec_id": ids.exec_id,
        "exec_type": "trade",
        "ord_status": "filled" if quantity == order.quantity else "partially_filled",
        "last_qty": done,
        "last_px": price,
        "cum_qty": done,
        "leaves_qty": format(order.quantity - quantity, "f"),
        "avg_px": price,
        "transact_time": now(),
        "reject": None,
    }
