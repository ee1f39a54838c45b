"""Look into Prefect's SQLite file before anything is started on it: one line and what to do, instead of a traceback."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from tasks.model.errors import CannotAct, Code

# A database of many gigabytes is not read to its end at each start.
PATIENCE_S = 2.0
LOCKED_FOR_S = 1.0
STEPS_COUNT = 10_000
SOUND = ("ok",)
INTERRUPTED = "interrupted"
LOCKED = "database is locked"


def check_sqlite(file: Path) -> None:
    """Read the file as far as two seconds reach; one that is not there is made by the server.

    Errors: `DATABASE_REFUSED` for a damaged or unreadable one.
    """
    if not file.exists():
        return
    try:
        found = _first_fault(file)
    except sqlite3.DatabaseError as error:
        if str(error) in {INTERRUPTED, LOCKED}:
            return
        found = str(error)
    if found is not None:
        raise CannotAct(
            Code.DATABASE_REFUSED,
            f"expected a sound database for Prefect was damaged ({' '.join(found.split())[:100]}) path={file}; move "
            f"{file.name}* away, then `runbook up` makes a new one: runs begin again, incidents and evidence are kept",
        )


def _first_fault(file: Path) -> str | None:
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=LOCKED_FOR_S)
    try:
        connection.set_progress_handler(_out_of_time(), STEPS_COUNT)
        row = connection.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        connection.close()
    return None if row == SOUND else str(row[0] if row else "no answer")


def _out_of_time() -> Callable[[], bool]:
    deadline = time.monotonic() + PATIENCE_S
    return lambda: time.monotonic() > deadline
