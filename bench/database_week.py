"""Let days of healthy minutes pass in a real database, with Prefect's own clean-up at work. For `bench.database`.

Steps:
    1. keep aside the rows that some real minutes added
    2. an hour of them at once, each minute with ids and times of its own
    3. what Prefect's clean-up services do, at that time; the local stack lets them work each quarter hour, and holds
       rather less
    4. on PostgreSQL, what autovacuum does in every minute that passes: each table with its share of dead rows
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect.server.database import provide_database_interface
from prefect.server.services import db_vacuum
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.database_copies import Block, make_block
from bench.database_rows import bytes_held, bytes_used, count
from bench.measuring.stack import Database

STEP_MINUTES = 60
DAY_MINUTES = 24 * 60
SETTLED_DAYS = 0.75
REPORT_EVERY_MINUTES = DAY_MINUTES // 4
# PostgreSQL's own defaults: autovacuum_vacuum_threshold and autovacuum_vacuum_scale_factor.
DEAD_ROWS_QUESTION = """
SELECT stat.relname FROM pg_stat_user_tables stat JOIN pg_class class ON class.oid = stat.relid
WHERE stat.n_dead_tup > 50 + 0.2 * greatest(class.reltuples, 0) AND stat.relname NOT LIKE 'bench%'
"""


def main() -> int:
    """Let the days pass, and write the figures to standard output."""
    url, database, minutes, number_of_days = sys.argv[1:]
    figures = asyncio.run(days(url, Database(database), int(minutes), int(number_of_days)))
    sys.stdout.write(json.dumps(figures))
    return 0


async def days(url: str, database: Database, minutes: int, number_of_days: int) -> dict[str, Any]:
    """Insert an hour, clean up, and so on."""
    engine = filling_engine(url, database)
    blocks = number_of_days * DAY_MINUTES // minutes
    async with engine.begin() as connection:
        block = await make_block(connection, database, minutes, blocks)
        begun = await bytes_used(connection, database)
    base, took_s, course = datetime.now(UTC), [], [await state_of(engine, database, 0)]
    a_step = STEP_MINUTES // minutes
    for first in range(1, blocks + 1, a_step):
        passed = (first + a_step - 1) * minutes
        await fill(engine, database, block, (first, first + a_step - 1))
        took_s.append(await clean_up(base + timedelta(minutes=passed)))
        if database is Database.POSTGRESQL:
            await autovacuum(engine)
        if not passed % REPORT_EVERY_MINUTES:
            course.append(await state_of(engine, database, passed / DAY_MINUTES))
            sys.stderr.write(f"day {course[-1]['day']:.2f}: {course[-1]['held_bytes'] / 1e6:.0f} MB\n")
    # By then each kind of row has met its retention, a day at most, and some rounds of the clean-up.
    before = [one for one in course if one["day"] <= min(3.0, number_of_days - SETTLED_DAYS)][-1]
    return {
        "days": number_of_days,
        "step_minutes": STEP_MINUTES,
        "begun_bytes": begun,
        "before": before,
        "last_day_bytes": course[-1]["held_bytes"],
        "largest_bytes": max(one["held_bytes"] for one in course),
        "clean_ups_s": took_s,
        "course": course,
    }


def filling_engine(url: str, database: Database) -> AsyncEngine:
    """Open the database for filling, which is not what is measured: it need not survive a power cut."""
    return create_async_engine(url, connect_args={"timeout": 60} if database is Database.SQLITE else {})


async def fill(engine: AsyncEngine, database: Database, block: Block, blocks: tuple[int, int]) -> None:
    """Write the rows of an hour."""
    async with engine.begin() as connection:
        match database:
            case Database.SQLITE:
                await connection.execute(text("PRAGMA synchronous = OFF"))
            case Database.POSTGRESQL:
                # A run names its state and a state its run: neither can be written first.
                await connection.execute(text("SET LOCAL session_replication_role = replica"))
                await connection.execute(text("SET LOCAL synchronous_commit = off"))
        await block.write(connection, *blocks)


async def clean_up(now: datetime) -> float:
    """Do what Prefect's clean-up services do, at a time. Units: seconds it took."""
    clock: Callable[[str], datetime] = lambda _zone: now  # noqa: E731 - Prefect's own is a function of the zone
    db_vacuum.now = clock
    db = provide_database_interface()
    began = time.perf_counter()
    await db_vacuum.vacuum_old_flow_runs(db=db)
    await db_vacuum.vacuum_events_with_retention_overrides(db=db)
    await db_vacuum.vacuum_old_events(db=db)
    await db_vacuum.vacuum_orphaned_logs(db=db)
    await db_vacuum.vacuum_orphaned_artifacts(db=db)
    await db_vacuum.vacuum_stale_artifact_collections(db=db)
    return time.perf_counter() - began


async def autovacuum(engine: AsyncEngine) -> None:
    """Vacuum the tables that autovacuum would have vacuumed in these minutes, by its own rule."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        for (name,) in (await connection.execute(text(DEAD_ROWS_QUESTION))).all():
            await connection.execute(text(f'VACUUM ANALYZE "{name}"'))


async def state_of(engine: AsyncEngine, database: Database, day: float) -> dict[str, Any]:
    """Say how large everything is."""
    async with engine.begin() as connection:
        return {
            "day": day,
            "held_bytes": await bytes_held(connection, database),
            "used_bytes": await bytes_used(connection, database),
            "rows": sum((await count(connection)).values()),
        }


if __name__ == "__main__":
    sys.exit(main())
