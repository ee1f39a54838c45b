"""The journal's file: how it is opened and what its tables are."""

import sqlite3
from pathlib import Path
from typing import Literal

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
    """Open a second connection that never writes, so that looking never waits for sending."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    connection.execute("PRAGMA query_only=1")
    return connection
