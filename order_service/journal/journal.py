"""The journal as the rest of the service sees it: begin, settle, find, list."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from order_service.api.contract import OrderStatus
from order_service.journal.rows import (
    COLUMNS,
    JournaledOrder,
    JournalUnavailable,
    PositionRow,
    Sync,
    from_row,
    open_for_reading,
    open_for_writing,
)
from order_service.journal.writer import Begin, JournalWriter, Settle
from order_service.orders.order import OPEN

_FIND = f"SELECT {COLUMNS} FROM orders WHERE client_order_id = ?"  # noqa: S608 - constant
_LIST = f"SELECT seq, {COLUMNS} FROM orders WHERE status = ? AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant
_LIST_ALL = f"SELECT seq, {COLUMNS} FROM orders WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant
_OPEN = f"SELECT {COLUMNS} FROM orders WHERE status IN ({', '.join('?' * len(OPEN))}) ORDER BY seq"  # noqa: S608 - constant
_TOO_LATE = b'{"code":"JOURNAL_UNAVAILABLE","message":"the journal was too slow; never sent","field":null}'
_INTERRUPTED = "UPDATE orders SET status = 'unknown', error = ? WHERE status = 'in_flight'"


class Journal:
    """Keep every order from before it is sent until its outcome is proven.

    Errors: JournalUnavailable from `begin` and the readers; `settle` never raises, since the order is out already.
    """

    def __init__(self, path: Path, sync: Sync, begin_timeout_s: float) -> None:
        self._path = path
        self.begin_timeout_s = begin_timeout_s
        self._connection = open_for_writing(path, sync)
        self._reading = open_for_reading(path)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")
        self._writer: JournalWriter | None = None
        self._not_on_disk: dict[str, JournaledOrder] = {}
        self._too_late: dict[str, JournaledOrder] = {}

    @property
    def error(self) -> str | None:
        return self._writer.error if self._writer is not None else None

    def mark_interrupted(self, error: bytes) -> int:
        """Turn what was in flight when the last process ended into unknown; nobody knows what came of it."""
        try:
            return self._connection.execute(_INTERRUPTED, (error,)).rowcount
        except sqlite3.Error as problem:
            raise JournalUnavailable(str(problem)) from problem

    def open_orders(self) -> list[JournaledOrder]:
        return [from_row(row) for row in self._connection.execute(_OPEN, [str(status) for status in sorted(OPEN)])]

    def positions(self) -> list[PositionRow]:
        rows = self._connection.execute("SELECT asset_class, strategy, symbol, net_quantity FROM positions")
        return [PositionRow(*map(str, row)) for row in rows]

    def start(self) -> None:
        """Start the writing thread; from here on only that thread touches the writing connection."""
        self._writer = JournalWriter(self._connection, asyncio.get_running_loop())

    async def begin(self, row: JournaledOrder) -> JournaledOrder | None:
        """Write an order down before it is sent; give the order that already holds its id, if any.

        Errors: JournalUnavailable; the order must then not be sent.
        """
        done: asyncio.Future[JournaledOrder | None] = asyncio.get_running_loop().create_future()
        self._running().put(Begin(row, done))
        try:
            async with asyncio.timeout(self.begin_timeout_s):
                held = await asyncio.shield(done)
        except TimeoutError:
            self._too_late[row.order_id] = row.settled(OrderStatus.DENIED, None, _TOO_LATE)
            done.add_done_callback(lambda late: self._deny_late(row, late))
            raise JournalUnavailable(f"no commit in {self.begin_timeout_s:g} s") from None
        return None if held is None else self._as_known(held)

    async def settle(self, row: JournaledOrder, position: PositionRow | None = None) -> None:
        """Write an outcome down; where the disk refuses, remember it here and let the writer try again."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._running().put(Settle(row, position, done))
        if await done:
            self._not_on_disk.pop(row.client_order_id, None)
        else:
            self._not_on_disk[row.client_order_id] = row

    async def find(self, client_order_id: str) -> JournaledOrder | None:
        if client_order_id in self._not_on_disk:
            return self._not_on_disk[client_order_id]
        rows = await self._read(_FIND, (client_order_id,))
        return self._as_known(from_row(rows[0])) if rows else None

    async def page(self, status: OrderStatus | None, after: int, limit: int) -> list[tuple[int, JournaledOrder]]:
        """List orders in the order they came, from behind the given place."""
        if status is None:
            rows = await self._read(_LIST_ALL, (after, limit))
        else:
            rows = await self._read(_LIST, (str(status), after, limit))
        return [(row[0], from_row(row[1:])) for row in rows]

    def close(self) -> None:
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._reading.close()
        if self._writer is None:
            self._connection.close()
        else:
            self._writer.close()

    async def _read(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        def run() -> list[tuple[Any, ...]]:
            try:
                return self._reading.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise JournalUnavailable(str(error)) from error

        return await asyncio.get_running_loop().run_in_executor(self._reader, run)

    def _as_known(self, row: JournaledOrder) -> JournaledOrder:
        """Give an order as it stands, where that is not on disk yet."""
        return self._too_late.get(row.order_id) or self._not_on_disk.get(row.client_order_id) or row

    def _deny_late(self, row: JournaledOrder, late: "asyncio.Future[JournaledOrder | None]") -> None:
        """Close an order that was refused for slowness and then did reach the disk: it was never sent."""
        denied = self._too_late[row.order_id]
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda settled: self._forget_late(denied, settled))
        if late.cancelled() or late.exception() is not None or late.result() is not None:
            done.set_result(True)
        else:
            self._running().put(Settle(denied, None, done))

    def _forget_late(self, denied: JournaledOrder, settled: "asyncio.Future[bool]") -> None:
        """Leave a denial to the disk once nobody waits who may have read the order before it; a disk may fail, too."""
        if not settled.cancelled() and settled.result():
            loop = asyncio.get_running_loop()
            loop.call_later(self.begin_timeout_s, lambda: self._too_late.pop(denied.order_id, None))

    def _running(self) -> JournalWriter:
        if self._writer is None:
            raise JournalUnavailable("not started")
        return self._writer
