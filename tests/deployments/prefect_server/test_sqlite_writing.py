"""Calls of Prefect's server on SQLite wait for each other, and one that fails or is given up holds up nobody."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from deployments.prefect_server.internals import begin_immediate, engine_that_closes

pytestmark = pytest.mark.live

WRITE = sa.text("UPDATE counted SET n = n + 1 RETURNING n")
READ = sa.text("SELECT n FROM counted")
# More than the turns of the event loop that one transaction takes.
TURNS = 40


class Server:
    """Prefect's own configuration on a database of its own."""

    def __init__(self, file: Path) -> None:
        self.configuration = AioSqliteConfiguration(f"sqlite+aiosqlite:///{file}")
        self.engine: AsyncEngine

    async def started(self) -> "Server":
        """Make the table, and count from nought."""
        self.engine = await engine_that_closes(self.configuration)
        event.listen(self.engine.sync_engine, "do_connect", _note)
        async with self.engine.connect() as connection:
            await connection.execute(sa.text("CREATE TABLE counted (n INTEGER NOT NULL)"))
            await connection.execute(sa.text("INSERT INTO counted VALUES (0)"))
        return self

    async def read_and_write(self) -> None:
        """Read, let others run, and write, as most calls of the API do."""
        async with self._session() as session, begin_immediate(self.configuration, session):
            await session.execute(READ)
            await asyncio.sleep(0.001)
            await session.execute(WRITE)

    async def write_alone(self) -> None:
        """Write as the recorder of events does: each statement for itself."""
        async with self._session() as session:
            await session.execute(WRITE)
            await session.commit()

    async def counted(self) -> int:
        """Read what was written."""
        async with self._session() as session:
            return int((await session.execute(READ)).scalar_one())

    async def execute(self, statement: sa.TextClause, parameters: Any = None) -> None:
        """Execute one statement alone."""
        async with self._session() as session:
            await session.execute(statement, parameters)

    def _session(self) -> AsyncSession:
        return AsyncSession(self.engine, expire_on_commit=False)


def _wait_never(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 0")
    cursor.close()


class NotedCursor(sqlite3.Cursor):
    """A cursor that knows whether somebody closed it."""

    is_open = True

    def close(self) -> None:
        """Close it, and note so."""
        super().close()
        self.is_open = False


class NotingConnection(sqlite3.Connection):
    """A connection of which each cursor is noted."""

    def cursor(self, _factory: object = None) -> NotedCursor:  # type: ignore[override]
        """Open a cursor."""
        return super().cursor(NotedCursor)


def _note(_dialect: object, _record: object, _words: object, settings: dict[str, object]) -> None:
    settings["factory"] = NotingConnection


def left_open() -> int:
    """Count the cursors that nobody has closed."""
    return sum(isinstance(one, NotedCursor) and one.is_open for one in gc.get_objects())


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Give a server's database with a table of one number."""
    one = await Server(tmp_path / "prefect.db").started()
    yield one
    await one.engine.dispose()


async def test_calls_that_overlap_wait_for_each_other(server: Server) -> None:
    """A person's click in the moment of a minute's run is late by milliseconds, and not refused."""
    await asyncio.gather(*(call() for _ in range(20) for call in (server.read_and_write, server.write_alone)))

    assert await server.counted() == 40


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep the garbage collector away: what only it would close stays open."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_a_statement_that_fails_leaves_nothing_for_the_garbage_collector(server: Server) -> None:
    """It would close it while another call waits on that connection, and the whole server would stand still."""
    with pytest.raises(sa.exc.IntegrityError, match="NOT NULL") as kept:
        await server.execute(sa.text("INSERT INTO counted VALUES (NULL)"))
    with pytest.raises(sa.exc.OperationalError, match="no such table") as kept_too:
        await server.execute(sa.text("UPDATE nowhere SET n = 1"), [{}, {}])
    await server.read_and_write()
    assert await server.counted() == 1
    await server.engine.dispose()

    assert left_open() == 0
    assert all(one.value.__traceback__ for one in (kept, kept_too)), "what holds the cursors is there still"


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("call", ["read_and_write", "write_alone"])
async def test_a_call_that_is_given_up_at_any_moment_locks_nobody_out(server: Server, call: str) -> None:
    """A page that is closed at the wrong moment costs the stack no run."""
    event.listen(server.engine.sync_engine, "connect", _wait_never)
    kept = []
    for turn in range(TURNS):
        given_up = asyncio.create_task(getattr(server, call)())
        for _ in range(turn):
            await asyncio.sleep(0.0002)
        given_up.cancel()
        kept += await asyncio.gather(given_up, return_exceptions=True)
        before = await server.counted()

        await server.read_and_write()

        assert await server.counted() == before + 1
    assert any(isinstance(one, asyncio.CancelledError) for one in kept)
    await server.engine.dispose()
    assert left_open() == 0
