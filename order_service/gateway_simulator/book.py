"""The order book of one venue: books each client order id once, and counts how often it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from order_service.gateway_simulator.execution import OPEN_STATUSES, Execution, Ids, canceled, execute, rejected
from order_service.gateway_simulator.fault import Fault
from order_service.gateway_simulator.journal import Journal
from order_service.gateway_simulator.order import AssetClass, Order


@dataclass(slots=True)
class BookedOrder:
    """Hold one order as the venue knows it."""

    execution: Execution
    received_count: int
    synthetic: bool

    def document(self) -> dict[str, object]:
        """Show the order as the listing does."""
        return {
            "client_order_id": self.execution["client_order_id"],
            "received_count": self.received_count,
            "ord_status": self.execution["ord_status"],
            "cum_qty": self.execution["cum_qty"],
            "synthetic": self.synthetic,
        }


class OrderDone(Exception):
    """Tell that an order can no longer be canceled."""


class Book:
    """Keep the orders of one venue, in memory and in its journal.

    Errors: OSError when the journal cannot be written; the order is then neither booked nor answered.
    """

    def __init__(self, name: str, journal: Journal, classes: frozenset[AssetClass]) -> None:
        self._name = name
        self._journal = journal
        self._classes = classes
        self._sequence = 0
        self._orders: dict[str, BookedOrder] = {}

    def load(self) -> None:
        """Take up what the journal knows."""
        for event in self._journal.read():
            self._replay(event)

    def get(self, client_order_id: str) -> BookedOrder | None:
        """Give an order, or nothing when it was never received."""
        return self._orders.get(client_order_id)

    def listing(self) -> list[dict[str, object]]:
        """Show all orders in the order they came."""
        return [order.document() for order in self._orders.values()]

    def receive(self, order: Order, fault: Fault) -> Execution:
        """Book a new order, or refuse an id that is known already; both are counted."""
        known = self._orders.get(order.client_order_id)
        ids = self._next_ids()
        if known is not None:
            self._journal.append({"event": "duplicate", "client_order_id": order.client_order_id, "n": self._sequence})
            known.received_count += 1
            reason = "this client order id is known; nothing was booked"
            return rejected(order.client_order_id, ids, {"code": "DUPLICATE_CL_ORD_ID", "text": reason})
        execution = self._decide(order, ids, fault)
        self._journal.append(
            {"event": "booked", "n": self._sequence, "synthetic": order.synthetic, "execution": execution}
        )
        self._orders[order.client_order_id] = BookedOrder(execution, 1, order.synthetic)
        return execution

    def cancel(self, client_order_id: str) -> Execution | None:
        """Cancel what is left of an order; nothing when it was never received.

        Errors: OrderDone when nothing is left to cancel.
        """
        known = self._orders.get(client_order_id)
        if known is None:
            return None
        if known.execution["ord_status"] not in OPEN_STATUSES:
            raise OrderDone(known.execution["ord_status"])
        execution = canceled(known.execution, self._next_ids().exec_id)
        self._journal.append({"event": "canceled", "n": self._sequence, "execution": execution})
        known.execution = execution
        return execution

    def _decide(self, order: Order, ids: Ids, fault: Fault) -> Execution:
        if order.asset_class not in self._classes:
            text = f"{self._name} does not trade {order.asset_class}"
            return rejected(order.client_order_id, ids, {"code": "UNSUPPORTED_ASSET_CLASS", "text": text})
        return execute(order, ids, fault)

    def _next_ids(self) -> Ids:
        self._sequence += 1
        return Ids(f"{self._name}-O{self._sequence:09d}", f"{self._name}-E{self._sequence:09d}")

    def _replay(self, event: Mapping[str, Any]) -> None:
        self._sequence = max(self._sequence, int(event.get("n", 0)))
        match event:
            case {"event": "booked", "execution": {"client_order_id": str(known_as)} as execution}:
                self._orders[known_as] = BookedOrder(execution, 1, bool(event.get("synthetic")))
            case {"event": "duplicate", "client_order_id": str(known_as)} if known_as in self._orders:
                self._orders[known_as].received_count += 1
            case {"event": "canceled", "execution": {"client_order_id": str(known_as)} as execution}:
                self._orders[known_as].execution = execution
            case _:  # written by a later version; what it says is not ours to guess
                pass
