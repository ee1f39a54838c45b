"""The rows of Prefect's database, whichever it is: counted, remembered, and what they weigh. For `bench.database`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.measuring.stack import Database

Found = TypeVar("Found")
# What a run or a heartbeat adds to. The other tables hold one row for each deployment, key, worker or automation.
TABLES = (
    "flow_run",
    "flow_run_state",
    "task_run",
    "task_run_state",
    "log",
    "artifact",
    "events",
    "event_resources",
)


def with_database(url: str, work: Callable[[AsyncConnection], Awaitable[Found]]) -> Found:
    """Do some work in one transaction."""

    async def done() -> Found:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    return asyncio.run(done())


async def number(connection: AsyncConnection, question: str) -> int:
    """Ask for one number."""
    return int((await connection.execute(text(question))).scalar_one() or 0)


async def count(connection: AsyncConnection) -> dict[str, int]:
    """Count the rows of each table that grows."""
    return {name: await number(connection, f"SELECT count(*) FROM {name}") for name in TABLES}  # noqa: S608 - our own names


async def keep_known(connection: AsyncConnection) -> None:
    """Remember which rows are there by now: what comes later is of the minutes that are measured."""
    for name in TABLES:
        await connection.execute(text(f"CREATE TABLE bench_known_{name} AS SELECT id FROM {name}"))  # noqa: S608


async def bytes_used(connection: AsyncConnection, database: Database) -> int:
    """Weigh what is in use; what SQLite keeps free for new rows is not."""
    match database:
        case Database.SQLITE:
            used = await number(connection, "PRAGMA page_count") - await number(connection, "PRAGMA freelist_count")
            return used * await number(connection, "PRAGMA page_size")
        case Database.POSTGRESQL:
            return await number(connection, "SELECT pg_database_size(current_database())")


async def bytes_held(connection: AsyncConnection, database: Database) -> int:
    """Weigh what is taken from the disk, whether in use or kept free for new rows."""
    match database:
        case Database.SQLITE:
            return await number(connection, "PRAGMA page_count") * await number(connection, "PRAGMA page_size")
        case Database.POSTGRESQL:
            return await bytes_used(connection, database)
