"""The one thread that writes the journal. It commits whatever has gathered since its last commit as one transaction,
so that a disk sync is shared by all orders that wait for it."""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass

from order_service.journal.rows import COLUMNS, JournaledOrder, JournalUnavailable, PositionRow, from_row

log = logging.getLogger(__name__)

MAX_BATCH = 256
RETRY_S = 1.0
_INSERT = f"INSERT INTO orders ({COLUMNS}) VALUES ({', '.join('?' * 13)}) ON CONFLICT DO NOTHING"  # noqa: S608 - constant
_FETCH = f"SELECT {COLUMNS} FROM orders WHERE client_order_id = ?"  # noqa: S608 - constant
_SETTLE = (
    "UPDATE orders SET status = ?, execution = ?, error = ?, first_status = ?, first_execution = ?"
    " WHERE client_order_id = ?"
)
_POSITION = "INSERT OR REPLACE INTO positions (asset_class, strategy, symbol, net_quantity) VALUES (?, ?, ?, ?)"
_LIVENESS = "INSERT OR REPLACE INTO liveness (id, written_at) VALUES (1, ?)"


@dataclass(frozen=True, slots=True)
class Begin:
    """Write an order down before it is sent; the answer is the row that already held its id, if any."""

    row: JournaledOrder
    done: "asyncio.Future[JournaledOrder | None]"


@dataclass(frozen=True, slots=True)
class Settle:
    """Write an outcome down; the answer is whether it is on disk."""

    row: JournaledOrder
    position: PositionRow | None
    done: "asyncio.Future[bool]"


Entry = Begin | Settle


class JournalWriter:
    """Write entries in the order they were given, many in one transaction."""

    def __init__(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self._entries: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._unsaved: list[Settle] = []
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self.error: str | None = None
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Hand over one entry; never waits."""
        self._entries.put(entry)

    def close(self) -> None:
        self._entries.put(None)
        self._thread.join(timeout=10)
        self._connection.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._gather()
            self._write(batch)

    def _gather(self) -> tuple[list[Entry], bool]:
        """Wait for one entry, then take all that stand behind it. An empty batch is the retry and liveness tick."""
        batch: list[Entry] = []
        try:
            entry = self._entries.get(timeout=RETRY_S)
            while entry is not None and len(batch) < MAX_BATCH - 1:
                batch.append(entry)
                entry = self._entries.get_nowait()
        except queue.Empty:
            return batch, True
        if entry is None:
            return batch, False
        batch.append(entry)
        return batch, True

    def _write(self, batch: list[Entry]) -> None:
        try:
            held = self._commit(batch)
        except sqlite3.Error as error:
            self._failed(batch, error)
            return
        self.error = None
        self._unsaved = []
        self._resolve_all([(entry, held.get(entry.row.client_order_id)) for entry in batch])

    def _commit(self, batch: list[Entry]) -> dict[str, JournaledOrder]:
        held: dict[str, JournaledOrder] = {}
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if not batch:
            execute(_LIVENESS, (time.time(),))
        for entry in (*self._unsaved, *batch):
            match entry:
                case Begin(row=row):
                    if execute(_INSERT, row.values()).rowcount == 0:
                        held[row.client_order_id] = from_row(execute(_FETCH, (row.client_order_id,)).fetchone())
                case Settle(row=row, position=position):
                    execute(_SETTLE, (*row.values()[8:], row.client_order_id))
                    if position is not None:
                        execute(
                            _POSITION, (position.asset_class, position.strategy, position.symbol, position.net_quantity)
                        )
        execute("COMMIT")
        return held

    def _failed(self, batch: list[Entry], error: sqlite3.Error) -> None:
        """Refuse what was not sent, keep what was: an outcome not on disk yet is written as soon as it can be."""
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as rollback_error:
                log.warning("JOURNAL_ROLLBACK_FAILED: %s", rollback_error)
        self.error = str(error)
        self._unsaved.extend(entry for entry in batch if isinstance(entry, Settle))
        self._resolve_all([(entry, JournalUnavailable(str(error))) for entry in batch])

    def _resolve_all(self, results: list[tuple[Entry, JournaledOrder | JournalUnavailable | None]]) -> None:
        if not results:
            return
        try:
            self._loop.call_soon_threadsafe(_resolve, results)
        except RuntimeError:
            log.debug("JOURNAL_LOOP_CLOSED: results=%d", len(results))


def _resolve(results: list[tuple[Entry, JournaledOrder | JournalUnavailable | None]]) -> None:
    for entry, result in results:
        if entry.done.done():
            continue
        if isinstance(entry, Settle):
            entry.done.set_result(not isinstance(result, JournalUnavailable))
        elif isinstance(result, JournalUnavailable):
            entry.done.set_exception(result)
        else:
            entry.done.set_result(result)
