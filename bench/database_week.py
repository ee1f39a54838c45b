"""Let days of healthy minutes pass in a real database, with Prefect's own clean-up at work. For `bench.database`.

Steps:
    1. read the rows that some real minutes added
    2. write them again for each minute, ids and times their own
    3. after each quarter hour of them, as in the local stack, what Prefect's clean-up services do, at that time
"""

import asyncio
import json
import sqlite3
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.server.database import provide_database_interface
from prefect.server.services import db_vacuum

from bench.database import BOUNDED, TABLES

STEP_MINUTES = 15
DAY_MINUTES = 24 * 60
ORPHANS_EVERY = 4
REPORT_EVERY = DAY_MINUTES // 2
# What no two rows may share.
OWN = {"id", "idempotency_key"}


@dataclass(frozen=True)
class Template:
    """The rows of one table that the real minutes added: values to keep, ids to renew, times to move."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    ids: tuple[int, ...]
    times: tuple[int, ...]


def main() -> int:
    """Let the days pass, and write the figures to standard output."""
    database, asked = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text("utf-8"))
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        # The filling is not what is measured: it need not survive a power cut.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        figures = asyncio.run(days(connection, database, asked))
    sys.stdout.write(json.dumps(figures))
    return 0


async def days(connection: sqlite3.Connection, database: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Insert a quarter of an hour, clean up, and so on."""
    templates = [template(connection, name, asked["from"][name], asked["to"][name]) for name in TABLES]
    base, begun = datetime.now(UTC), asked["to"]["bytes"]
    took_s: list[float] = []
    course = [state_of(connection, database, 0)]
    for minute in range(0, asked["days"] * DAY_MINUTES, STEP_MINUTES):
        with connection:
            for step in range(0, STEP_MINUTES, asked["minutes"]):
                write_minutes(connection, templates, timedelta(minutes=minute + step + asked["minutes"]))
        now = base + timedelta(minutes=minute + STEP_MINUTES)
        took_s.append(await clean_up(now, with_orphans=not minute % (STEP_MINUTES * ORPHANS_EVERY)))
        if not (minute + STEP_MINUTES) % REPORT_EVERY:
            course.append(state_of(connection, database, (minute + STEP_MINUTES) / DAY_MINUTES))
            sys.stderr.write(f"day {course[-1]['day']:.1f}: {course[-1]['file_bytes'] / 1e6:.0f} MB\n")
    third = next((one for one in course if one["day"] >= 3), course[-1])
    a_minute = (asked["to"]["bytes"] - asked["from"]["bytes"]) / asked["minutes"]
    return {
        "days": asked["days"],
        "step_minutes": STEP_MINUTES,
        "course": course,
        "largest_bytes": max(one["file_bytes"] for one in course),
        "unbounded_bytes": begun + a_minute * asked["days"] * DAY_MINUTES,
        "is_bounded": course[-1]["file_bytes"] <= third["file_bytes"] * BOUNDED,
        "vacuum_median_s": statistics.median(took_s),
        "vacuum_max_s": max(took_s),
        "rows_at_the_end": count(connection),
    }


def template(connection: sqlite3.Connection, name: str, after: int, last: int) -> Template:
    """Read what the real minutes added to one table; runs that are only scheduled are none of theirs."""
    kinds = {one[1]: one[2] for one in connection.execute(f'PRAGMA table_info("{name}")')}
    scheduled = " AND state_type != 'SCHEDULED'" if name == "flow_run" else ""
    question = f'SELECT * FROM "{name}" WHERE rowid > ? AND rowid <= ?{scheduled}'  # noqa: S608 - our own table names
    return Template(
        name=name,
        columns=tuple(kinds),
        rows=tuple(connection.execute(question, (after, last))),
        ids=tuple(number for number, (word, kind) in enumerate(kinds.items()) if kind == "CHAR(36)" or word in OWN),
        times=tuple(number for number, kind in enumerate(kinds.values()) if kind == "DATETIME"),
    )


def write_minutes(connection: sqlite3.Connection, templates: list[Template], later: timedelta) -> None:
    """Write the rows once more, that much later, with ids of their own."""
    own = {row[one.columns.index(word)] for one in templates for word in OWN & {*one.columns} for row in one.rows}
    ids = {identity: str(uuid.uuid4()) for identity in own if identity is not None}
    for one in templates:
        marks = ", ".join("?" * len(one.columns))
        insert = f'INSERT INTO "{one.name}" VALUES ({marks})'  # noqa: S608 - our own table names
        connection.executemany(insert, moved(one, ids, later))


def moved(one: Template, ids: dict[str, str], later: timedelta) -> Iterator[list[Any]]:
    """Give the rows of one table with their new ids and times."""
    for row in one.rows:
        values = list(row)
        for number in one.ids:
            values[number] = ids.get(values[number], values[number])
        for number in one.times:
            values[number] = _later(values[number], later)
        yield values


async def clean_up(now: datetime, *, with_orphans: bool) -> float:
    """Do what Prefect's clean-up services do, at a time. Units: seconds it took."""
    clock: Callable[[str], datetime] = lambda _zone: now  # noqa: E731 - Prefect's own is a function of the zone
    db_vacuum.now = clock
    db = provide_database_interface()
    began = time.perf_counter()
    await db_vacuum.vacuum_old_flow_runs(db=db)
    await db_vacuum.vacuum_events_with_retention_overrides(db=db)
    await db_vacuum.vacuum_old_events(db=db)
    if with_orphans:
        await db_vacuum.vacuum_orphaned_logs(db=db)
        await db_vacuum.vacuum_orphaned_artifacts(db=db)
        await db_vacuum.vacuum_stale_artifact_collections(db=db)
    return time.perf_counter() - began


def state_of(connection: sqlite3.Connection, database: Path, day: float) -> dict[str, Any]:
    """Say how large everything is: the file with its write-ahead log, the pages in use, the rows."""
    pages, free, size = (
        connection.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "freelist_count", "page_size")
    )
    files = (database, database.with_name(f"{database.name}-wal"))
    return {
        "day": day,
        "file_bytes": sum(one.stat().st_size for one in files if one.exists()),
        "used_bytes": (pages - free) * size,
        "rows": sum(count(connection).values()),
    }


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of each table that grows."""
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in TABLES}  # noqa: S608


def _later(moment: str | None, by: timedelta) -> str | None:
    # A duration is stored as a time of 1970.
    if moment is None or moment.startswith("1970"):
        return moment
    return (datetime.fromisoformat(moment) + by).strftime("%Y-%m-%d %H:%M:%S.%f")


if __name__ == "__main__":
    sys.exit(main())
