"""What a venue says of an order: one execution, in the words of the gateway protocol."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypedDict

from order_service.gateway_simulator.fault_switch import Fault, FaultKind
from order_service.gateway_simulator.venue_order import Order, fill_price
from order_service.runtime.clock import now_text

ExecType = Literal["new", "trade", "rejected", "canceled"]
OrdStatus = Literal["new", "partially_filled", "filled", "rejected", "canceled"]
OPEN_STATUSES = frozenset({"new", "partially_filled"})


class RejectReason(TypedDict):
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
    reject: RejectReason | None


@dataclass(frozen=True, slots=True)
class Ids:
    """Hold the two names the venue gives: one for the order, one for this event."""

    gateway_order_id: str
    exec_id: str


def execute(order: Order, ids: Ids, fault: Fault) -> Execution:
    match fault.fault:
        case FaultKind.REJECT:
            return rejected(order.client_order_id, ids, {"code": fault.code, "text": fault.text})
        case FaultKind.ACK_WITHOUT_FILL:
            return _acknowledged(order, ids)
        case FaultKind.PARTIAL_FILL:
            return _traded(order, ids, order.quantity / 2)
        case _:
            return _traded(order, ids, order.quantity)


def rejected(client_order_id: str, ids: Ids, reason: RejectReason) -> Execution:
    """Refuse an order; nothing of it is left."""
    return {**_execution(client_order_id, ids, "rejected", "rejected"), "reject": reason}


def canceled(execution: Execution, exec_id: str) -> Execution:
    """Take what is left of an order off the book; what traded stays traded."""
    ids = Ids(execution["gateway_order_id"], exec_id)
    fresh = _execution(execution["client_order_id"], ids, "canceled", "canceled")
    return {**fresh, "cum_qty": execution["cum_qty"], "avg_px": execution["avg_px"]}


def _acknowledged(order: Order, ids: Ids) -> Execution:
    return {**_execution(order.client_order_id, ids, "new", "new"), "leaves_qty": format(order.quantity, "f")}


def _traded(order: Order, ids: Ids, quantity: Decimal) -> Execution:
    price, done = format(fill_price(order), "f"), format(quantity, "f")
    status: OrdStatus = "filled" if quantity == order.quantity else "partially_filled"
    return {
        **_execution(order.client_order_id, ids, "trade", status),
        "last_qty": done,
        "last_px": price,
        "cum_qty": done,
        "leaves_qty": format(order.quantity - quantity, "f"),
        "avg_px": price,
    }


def _execution(client_order_id: str, ids: Ids, exec_type: ExecType, ord_status: OrdStatus) -> Execution:
    """Write an execution that traded nothing and leaves nothing."""
    return {
        "client_order_id": client_order_id,
        "gateway_order_id": ids.gateway_order_id,
        "exec_id": ids.exec_id,
        "exec_type": exec_type,
        "ord_status": ord_status,
        "last_qty": "0",
        "last_px": None,
        "cum_qty": "0",
        "leaves_qty": "0",
        "avg_px": None,
        "transact_time": now_text("microseconds"),
        "reject": None,
    }
