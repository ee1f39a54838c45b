"""The journal's file: its tables, and one order as a row of them."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import orjson

from order_service.api.contract import OrderStatus
from order_service.orders.order import NOT_PROVEN, NewOrder

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    seq INTEGER PRIMARY KEY,
    client_order_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    body BLOB NOT NULL,
    gateway TEXT,
    release TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    send_deadline_at REAL NOT NULL,
    status TEXT NOT NULL,
    execution BLOB,
    error BLOB,
    first_status TEXT,
    first_execution BLOB
);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, seq);
CREATE TABLE IF NOT EXISTS positions (
    asset_class TEXT NOT NULL,
    strategy TEXT NOT NULL,
    symbol TEXT NOT NULL,
    net_quantity TEXT NOT NULL,
    PRIMARY KEY (asset_class, strategy, symbol)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS liveness (id INTEGER PRIMARY KEY CHECK (id = 1), written_at REAL NOT NULL);
"""

Sync = Literal["full", "normal"]


class JournalUnavailable(Exception):
    """Say that nothing can be written down, so nothing may be sent."""


def open_for_writing(path: Path, sync: Sync) -> sqlite3.Connection:
    """Open the journal and lay out its tables.

    `full` keeps an order through a power loss, `normal` through a killed process only.
    Errors: JournalUnavailable when the file cannot be opened, is no journal, or is of a later version.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={sync.upper()}")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise JournalUnavailable(
                f"expected schema version {SCHEMA_VERSION}, was {version}; a later release wrote it"
            )
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    except sqlite3.Error as error:
        raise JournalUnavailable(f"cannot open {path}; {error}") from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a second connection that never writes, so that reading never waits for sending."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    connection.execute("PRAGMA query_only=1")
    return connection


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
        return NewOrder.model_validate_json(self.body)

    @property
    def is_synthetic(self) -> bool:
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
        if self.first_status is None:
            return self
        return replace(self, status=self.first_status, execution=self.first_execution)

    def values(self) -> tuple[object, ...]:
        """Give the column values in the order of COLUMNS."""
        return _VALUES(self)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One net position as it stands after a fill."""

    asset_class: str
    strategy: str
    symbol: str
    net_quantity: str


COLUMN_NAMES = tuple(field.name for field in fields(JournaledOrder))
COLUMNS = ", ".join(COLUMN_NAMES)
_VALUES: Callable[[JournaledOrder], tuple[object, ...]] = attrgetter(*COLUMN_NAMES)
_STATUS, _FIRST_STATUS = COLUMN_NAMES.index("status"), COLUMN_NAMES.index("first_status")


def from_row(row: tuple[Any, ...]) -> JournaledOrder:
    values = list(row)
    values[_STATUS] = OrderStatus(row[_STATUS])
    values[_FIRST_STATUS] = None if row[_FIRST_STATUS] is None else OrderStatus(row[_FIRST_STATUS])
    return JournaledOrder(*values)
