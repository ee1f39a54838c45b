"""One order as the journal keeps it."""

import sqlite3
from dataclasses import dataclass, replace

import orjson

from order_service.order import NOT_PROVEN, NewOrder, OrderStatus

COLUMNS = (
    "client_order_id, order_id, body_hash, body, gateway, release, accepted_at, send_deadline_at, "
    "status, execution, error, first_status, first_execution"
)


@dataclass(frozen=True, slots=True)
class JournaledOrder:
    """What was asked, what was promised, and what is known.

    `execution` and `error` are JSON as the client sees it. `first_status` and `first_execution` are kept when a known
    outcome is later replaced by another (acknowledged, then canceled): a repeated request gets the first answer.
    Units: `send_deadline_at` in seconds since the epoch, `accepted_at` as RFC 3339.
    """

    client_order_id: str
    order_id: str
    body_hash: str
    body: bytes
    gateway: str | None
    release: str
    accepted_at: str
    send_deadline_at: float
    status: OrderStatus
    execution: bytes | None = None
    error: bytes | None = None
    first_status: OrderStatus | None = None
    first_execution: bytes | None = None

    @property
    def order(self) -> NewOrder:
        """Give the order itself, read back from its canonical body."""
        return NewOrder.model_validate_json(self.body)

    @property
    def is_synthetic(self) -> bool:
        """Say whether it is a test order."""
        return bool(orjson.loads(self.body)["synthetic"])

    def settled(self, status: OrderStatus, execution: bytes | None, error: bytes | None) -> "JournaledOrder":
        """Give this order with a new outcome, keeping the first known one for repeated requests."""
        keeps_first = self.status not in NOT_PROVEN
        return replace(
            self,
            status=status,
            execution=execution,
            error=error,
            first_status=(self.first_status or self.status) if keeps_first else None,
            first_execution=(self.first_execution or self.execution) if keeps_first else None,
        )

    def as_first_answered(self) -> "JournaledOrder":
        """Give this order as the first known answer told it."""
        if self.first_status is None:
            return self
        return replace(self, status=self.first_status, execution=self.first_execution)

    def values(self) -> tuple[object, ...]:
        """Give the column values in the order of COLUMNS."""
        return (
            self.client_order_id,
            self.order_id,
            self.body_hash,
            self.body,
            self.gateway,
            self.release,
            self.accepted_at,
            self.send_deadline_at,
            str(self.status),
            self.execution,
            self.error,
            None if self.first_status is None else str(self.first_status),
            self.first_execution,
        )


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One net position as it stands after a fill."""

    asset_class: str
    strategy: str
    symbol: str
    net_quantity: str


def from_row(row: sqlite3.Row | tuple[object, ...]) -> JournaledOrder:
    """Read one row in the order of COLUMNS."""
    (cl, order_id, digest, body, gateway, release, accepted, deadline, status, execution, error, first, first_exec) = (
        row
    )
    return JournaledOrder(
        client_order_id=str(cl),
        order_id=str(order_id),
        body_hash=str(digest),
        body=_blob(body) or b"",
        gateway=None if gateway is None else str(gateway),
        release=str(release),
        accepted_at=str(accepted),
        send_deadline_at=float(str(deadline)),
        status=OrderStatus(str(status)),
        execution=_blob(execution),
        error=_blob(error),
        first_status=None if first is None else OrderStatus(str(first)),
        first_execution=_blob(first_exec),
    )


def _blob(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None
