"""Measure what a healthy minute leaves in Prefect's database, and how large it becomes in a week of them.

Steps:
    1. the whole local stack, its schedule paused; in each of some minutes one healthy triage, and the heartbeats
    2. the rows that these minutes added, by table, and the bytes
    3. the stack stopped: the same rows again and again, with ids and times of their own, until a week has passed;
       Prefect's own clean-up runs over them with the settings of the local stack, its clock set to the simulated time
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.database_rows import bytes_used, count, keep_known, with_database
from bench.measuring.figures import Figure, at_most
from bench.measuring.machine import Elsewhere
from bench.measuring.prefect_calls import deployment_id, run_to_end
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import REPOSITORY, BenchStack, Database, Server, database_server, stack_in
from deployments.environment import server_environment
from deployments.ports import SERVER
from deployments.server_settings import ServerSettings
from deployments.state_dir import StateDir

# The end may exceed what was held before, on the third day at the latest, by this much, and is still called bounded.
BOUNDED = 1.05
MINUTE_S = 60
# What a minute's run and its heartbeats still write after the minute, or the first triage after it.
SETTLE_S = 10


def main() -> int:
    """Measure, print, write; 3 when the database still grows at the end."""
    parser = bench_arguments("bench.database", __doc__)
    parser.add_argument("--minutes", type=int, choices=(1, 3, 5), help="real minutes")
    parser.add_argument("--days", type=int, choices=range(2, 32), help="simulated days")
    given = parser.parse_args()
    given.minutes = given.minutes or 1
    given.days = given.days or (3 if given.quick else 7)
    return run_bench("database", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Let real minutes pass, then simulated days."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-database-") as folder,
        database_server(given.database) as server,
    ):
        state = StateDir(Path(folder))
        with stack_in(Path(folder), given.database, server) as stack:
            minute = measured_minutes(stack, url_of(state, server), given.minutes)
        busy = Elsewhere()
        week = simulated(state, server, given)
        # The database itself works for this bench, and is no child of this process.
        other_cores = busy.cores() if given.database is Database.SQLITE else None
    return Measured(tuple(rows_of(minute, week, given.database)), other_cores, {**minute, **week})


def url_of(state: StateDir, server: Server) -> str:
    """Name the database as SQLAlchemy takes it."""
    return server.url or f"sqlite+aiosqlite:///{(state.prefect_home / 'prefect.db').as_posix()}"


def measured_minutes(stack: BenchStack, url: str, minutes: int) -> dict[str, Any]:
    """Let some real minutes pass, and say what one of them adds."""
    manual = deployment_id(stack.api, "triage/manual")
    run_to_end(stack.api, manual)
    time.sleep(SETTLE_S)
    with_database(url, keep_known)
    before, held = with_database(url, count), _used(url, stack)
    for _ in range(minutes):
        ends_at = time.monotonic() + MINUTE_S
        run_to_end(stack.api, manual)
        time.sleep(max(0.0, ends_at - time.monotonic()))
    added = {name: (found - before[name]) / minutes for name, found in with_database(url, count).items()}
    return {"rows_a_minute": added, "bytes_a_minute": (_used(url, stack) - held) / minutes}


def _used(url: str, stack: BenchStack) -> int:
    return with_database(url, lambda connection: bytes_used(connection, stack.database))


def simulated(state: StateDir, server: Server, given: argparse.Namespace) -> dict[str, Any]:
    """Let the days pass in a process of its own, whose Prefect reads the settings of the stack's server."""
    settings = ServerSettings.model_validate({"database_url": server.url}) if server.url else ServerSettings()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    prefect = {**server_environment(state, {SERVER: 4200}, settings), "PREFECT_LOGGING_LEVEL": "WARNING"}
    words = [url_of(state, server), given.database, str(given.minutes), str(given.days)]
    told = subprocess.run(
        [sys.executable, "-m", "bench.database_week", *words],
        env={**kept, **prefect}, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def rows_of(minute: dict[str, Any], week: dict[str, Any], database: Database) -> list[Figure]:
    """Lay the rows out: what a minute leaves, what a week of them holds, and what the clean-up takes."""
    days, before = week["days"], week["before"]
    rows = ", ".join(f"{name} {count:.0f}" for name, count in minute["rows_a_minute"].items() if count)
    total = sum(minute["rows_a_minute"].values())
    unbounded = week["begun_bytes"] + minute["bytes_a_minute"] * days * 24 * 60
    held = "file" if database is Database.SQLITE else "database, with what it keeps free for new rows"
    return [
        Figure(what="rows of a healthy minute", unit="rows", values=(total,), note=rows),
        Figure(what="bytes of a healthy minute", unit="kB", values=(minute["bytes_a_minute"] / 1e3,)),
        Figure(
            what=f"{held}, after {days} days", unit="MB", values=(week["last_day_bytes"] / 1e6,),
            budget=at_most(round(before["held_bytes"] * BOUNDED / 1e6, 1)),
            note=f"within {BOUNDED:g} x what day {before['day']:g} held ({before['held_bytes'] / 1e6:.0f} MB); "
            f"largest {week['largest_bytes'] / 1e6:.0f} MB; kept for ever {unbounded / 1e6:,.0f} MB",
        ),
        Figure(what="one clean-up of an hour", unit="s", values=tuple(week["clean_ups_s"])),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
