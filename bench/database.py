"""Measure what a healthy minute leaves in Prefect's database, and how large it becomes in a week of them.

Steps:
    1. the whole local stack, its schedule paused; in each of some minutes one healthy triage, and the heartbeats
    2. the rows that these minutes added, by table, and the bytes
    3. the stack stopped: an hour of the same rows again and again, with ids and times of their own, until the days have
       passed; Prefect's own clean-up runs over each hour with the settings of the local stack, which lets it work each
       quarter hour and holds rather less; on PostgreSQL autovacuum works after it, by its own rule
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from prefect.context import refresh_global_settings_context
from prefect.server.database import provide_database_interface
from prefect.server.database.orm_models import Base
from prefect.server.services import db_vacuum
from sqlalchemy import make_url, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bench.figures import Bench, Database, Figure, Run, row
from bench.stack import BenchStack, database_server, environment, stack_in
from deployments.prefect_server.server_settings import ServerSettings
from deployments.stack.environment import server_environment
from deployments.stack.ports import SERVER

Result = TypeVar("Result")
Rows = dict[str, list[dict[str, Any]]]
# What a run or a heartbeat adds to, parents first. The other tables hold one row for each deployment, key, worker.
RUNS = ("flow_run", "flow_run_state", "task_run", "task_run_state", "log", "artifact")
TABLES = (*RUNS, "events", "event_resources")
PARENTS = {"flow_run_id": "flow_run", "task_run_id": "task_run"}
# What a minute's run and its heartbeats still write after the minute, or the first triage after it.
SETTLE_S, MINUTE_S = 10.0, 60.0
HOUR_MINUTES, DAY_HOURS, REPORT_HOURS = 60, 24, 6
# By then each kind of row has met its retention, a day at most, and some rounds of the clean-up.
BEFORE_DAYS, SETTLED_DAYS = 3.0, 0.75
# Spreads the copies over the whole of each index, as new ids of Prefect's are spread.
SPREAD, BEGINNINGS, REST_BITS = 2_654_435_761, 1 << 32, 96
CLEAN_UPS = (
    db_vacuum.vacuum_old_flow_runs,
    db_vacuum.vacuum_events_with_retention_overrides,
    db_vacuum.vacuum_old_events,
    db_vacuum.vacuum_orphaned_logs,
    db_vacuum.vacuum_orphaned_artifacts,
    db_vacuum.vacuum_stale_artifact_collections,
)
# PostgreSQL's own defaults: autovacuum_vacuum_threshold and autovacuum_vacuum_scale_factor.
DEAD_ROWS = """
SELECT stat.relname FROM pg_stat_user_tables stat JOIN pg_class class ON class.oid = stat.relid
WHERE stat.n_dead_tup > 50 + 0.2 * greatest(class.reltuples, 0)
"""


def measure(run: Run) -> Iterator[Figure]:
    """Let real minutes pass, then simulated days."""
    minutes, number_of_days = run.given.minutes, run.given.days
    with tempfile.TemporaryDirectory(prefix="bench-database-") as folder, database_server(run.database) as server:
        with stack_in(run, Path(folder), server) as stack:
            added, bytes_a_minute, rows = real_minutes(stack, minutes)
        adopt_settings(stack)
        with run.watching(database_pid=server.pid):
            held_mb, clean_ups_s = asyncio.run(days(stack.database_url, rows, minutes, number_of_days))
    run.details |= {"rows_a_minute": added, "held_mb_by_day": held_mb}
    before_day = max(day for day in held_mb if day <= min(BEFORE_DAYS, number_of_days - SETTLED_DAYS))
    for_ever = held_mb[0] + bytes_a_minute * number_of_days * DAY_HOURS * HOUR_MINUTES / 1e6
    note = ", ".join(f"{name} {count:.0f}" for name, count in added.items() if count)
    yield row("rows of a healthy minute", "rows", [sum(added.values())], note=note)
    yield row("bytes of a healthy minute", "kB", [bytes_a_minute / 1e3])
    note = f"after {number_of_days} days, largest {max(held_mb.values()):.0f} MB; without clean-up {for_ever:,.0f} MB"
    yield row("held, with what is kept free for new rows", "MB", [held_mb[number_of_days]], note=note)
    ratio, note = held_mb[number_of_days] / held_mb[before_day], f"before: {before_day:g} days"
    yield row("held at the end ÷ held before", "x", [ratio], note=note)
    yield row("one clean-up of an hour", "s", clean_ups_s)


def real_minutes(stack: BenchStack, minutes: int) -> tuple[dict[str, float], float, Rows]:
    """Let some real minutes pass; give the rows by table and the bytes that one of them adds, and all their rows."""
    manual, url = stack.deployment_id("triage/do-triage"), stack.database_url
    stack.run_to_end(manual)
    time.sleep(SETTLE_S)
    before, counts, held = with_database(url, all_rows), with_database(url, count), with_database(url, bytes_held)
    for _ in range(minutes):
        ends_at = time.monotonic() + MINUTE_S
        stack.run_to_end(manual)
        time.sleep(max(0.0, ends_at - time.monotonic()))
    added = {name: (found - counts[name]) / minutes for name, found in with_database(url, count).items()}
    bytes_a_minute = (with_database(url, bytes_held) - held) / minutes
    return added, bytes_a_minute, own_rows(before, with_database(url, all_rows))


def own_rows(before: Rows, after: Rows) -> Rows:
    """Give the rows that some minutes left: none that is only scheduled, none that a run of before has written late."""
    own: Rows = {}
    for name, rows in after.items():
        known = {row["id"] for row in before[name]}
        parents = {column: {one["id"] for one in own.get(parent, ())} for column, parent in PARENTS.items()}
        own[name] = [
            row
            for row in rows
            if row["id"] not in known
            and not (name == "flow_run" and row["state_type"] == "SCHEDULED")
            and all(row.get(column) is None or row[column] in ids for column, ids in parents.items())
        ]
    return own


def copies(rows: Rows, number: int, shift: timedelta) -> Rows:
    """Copy the rows into a later time: an id of theirs gets another beginning, the same wherever it is named."""
    own = {row["id"] for found in rows.values() for row in found}
    beginning = (number * SPREAD % BEGINNINGS) << REST_BITS

    def moved(column: str, value: Any) -> Any:
        if isinstance(value, UUID) and value in own:
            return UUID(int=value.int ^ beginning)
        if isinstance(value, datetime):
            return value + shift
        # What no two rows may share, beside their ids.
        return f"{number:x}-{value}" if column == "idempotency_key" and value else value

    return {
        name: [{column: moved(column, value) for column, value in row.items()} for row in found]
        for name, found in rows.items()
    }


def adopt_settings(stack: BenchStack) -> None:
    """Let Prefect in this process read the settings of the stack's server, its database and retention above all."""
    settings = ServerSettings.model_validate({"database_url": stack.server.url or None})
    adopted = {**environment("PREFECT_"), **server_environment(stack.state, {SERVER: 4200}, settings)}
    os.environ.clear()
    os.environ.update(adopted, PREFECT_LOGGING_LEVEL="WARNING")
    refresh_global_settings_context()


async def days(url: str, rows: Rows, minutes: int, number_of_days: int) -> tuple[dict[float, float], list[float]]:
    """Insert an hour, clean up, and so on; give the MB that are held by day, and the seconds of each clean-up.

    Errors: SystemExit where Prefect would clean up another database than the bench's own.
    """
    if (cleaned := provide_database_interface().database_config.connection_url) != url:
        raise SystemExit(f"WRONG_DATABASE: expected Prefect to clean up the bench's own was {make_url(cleaned)!r}")
    engine = create_async_engine(url, connect_args={} if is_postgres(url) else {"timeout": 60})
    base, clean_ups_s, held_mb = datetime.now(UTC), [], {}
    for hour in range(number_of_days * DAY_HOURS + 1):
        if hour:
            last = hour * HOUR_MINUTES
            for minute in range(last - HOUR_MINUTES + minutes, last + 1, minutes):
                await fill(engine, copies(rows, minute, timedelta(minutes=minute)))
            clean_ups_s.append(await clean_up(base + timedelta(hours=hour)))
            if is_postgres(url):
                await autovacuum(engine)
        if not hour % REPORT_HOURS:
            async with engine.begin() as connection:
                held_mb[hour / DAY_HOURS] = await bytes_held(connection) / 1e6
            sys.stderr.write(f"day {hour / DAY_HOURS:.2f}: {held_mb[hour / DAY_HOURS]:.0f} MB\n")
    await engine.dispose()
    return held_mb, clean_ups_s


async def fill(engine: AsyncEngine, rows: Rows) -> None:
    """Write rows; that is not what is measured, and need not survive a power cut."""
    async with engine.begin() as connection:
        if is_postgres(str(engine.url)):
            # A run names its state and a state its run: neither can be written first.
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
        else:
            await connection.execute(text("PRAGMA synchronous = OFF"))
        for name, found in rows.items():
            if found:
                await connection.execute(table(name).insert(), found)


async def clean_up(now: datetime) -> float:
    """Do what Prefect's clean-up services do, at a time. Units: seconds it took."""
    vars(db_vacuum)["now"] = lambda _zone: now
    db, began = provide_database_interface(), time.perf_counter()
    for work in CLEAN_UPS:
        await work(db=db)
    return time.perf_counter() - began


async def autovacuum(engine: AsyncEngine) -> None:
    """Vacuum the tables that autovacuum would have vacuumed in these minutes, by its own rule."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        for (name,) in (await connection.execute(text(DEAD_ROWS))).all():
            await connection.execute(text(f'VACUUM ANALYZE "{name}"'))


def with_database(url: str, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """Do some work in one transaction."""

    async def done() -> Result:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    return asyncio.run(done())


def is_postgres(url: str) -> bool:
    return url.startswith("postgresql")


def table(name: str) -> Any:
    return Base.metadata.tables[name]


async def all_rows(connection: AsyncConnection) -> Rows:
    found = {name: await connection.execute(select(table(name))) for name in TABLES}
    return {name: [dict(row) for row in result.mappings()] for name, result in found.items()}


async def number(connection: AsyncConnection, question: str) -> int:
    return int((await connection.execute(text(question))).scalar_one() or 0)


async def count(connection: AsyncConnection) -> dict[str, int]:
    return {name: await number(connection, f"SELECT count(*) FROM {name}") for name in TABLES}  # noqa: S608 - our own names


async def bytes_held(connection: AsyncConnection) -> int:
    """Weigh what is taken from the disk, whether in use or kept free for new rows."""
    if is_postgres(str(connection.engine.url)):
        return await number(connection, "SELECT pg_database_size(current_database())")
    return await number(connection, "PRAGMA page_count") * await number(connection, "PRAGMA page_size")


BENCH = Bench("database", measure, tuple(Database), {"minutes": (1, 1), "days": (7, 3)})
