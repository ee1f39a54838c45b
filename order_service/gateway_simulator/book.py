"""The order book of one venue and its file: books each client order id once, and counts how often it came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from order_service.gateway_simulator.fault_switch import Fault
from order_service.gateway_simulator.fills import OPEN_STATUSES, Execution, Ids, canceled, execute, rejected
from order_service.gateway_simulator.venue_order import AssetClass, Order


class EventFile:
    """Append events to a file and read them back.

    Errors: OSError when the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skipped_count = 0
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Open for appending; a torn last line was never answered for, so it is cut off."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what is written is with the kernel, and outlives a kill of this process.
        self._file = self._path.open("ab", buffering=0)
        self._file.truncate(_whole_lines_bytes(self._path))

    def append(self, event: Mapping[str, Any]) -> None:
        if self._file is None:
            raise OSError("JOURNAL_CLOSED: expected an open journal, was closed; call open first")
        self._file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))

    def read(self) -> Iterator[dict[str, Any]]:
        """Read all events; a line that is no JSON object is counted and left out."""
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for line in lines:
                event = _parse(line)
                if event is None:
                    self.skipped_count += 1
                else:
                    yield event

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _whole_lines_bytes(path: Path, step_bytes: int = 65_536) -> int:
    """Give the length of the file up to its last line end."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while end > 0:
            start = max(0, end - step_bytes)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


@dataclass(slots=True)
class BookedOrder:
    execution: Execution
    received_count: int
    synthetic: bool

    def document(self) -> dict[str, object]:
        return {
            "client_order_id": self.execution["client_order_id"],
            "received_count": self.received_count,
            "ord_status": self.execution["ord_status"],
            "cum_qty": self.execution["cum_qty"],
            "synthetic": self.synthetic,
        }


class OrderDone(Exception):
    """The order can no longer be canceled."""


class Book:
    """Keep the orders of one venue, in memory and in its journal.

    Errors: OSError when the journal cannot be written; the order is then neither booked nor answered.
    """

    def __init__(self, name: str, journal: EventFile, classes: frozenset[AssetClass]) -> None:
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
        return self._orders.get(client_order_id)

    def listing(self) -> list[dict[str, object]]:
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
