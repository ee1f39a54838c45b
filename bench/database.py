"""Measure what a healthy minute leaves in Prefect's database, and how large the file becomes in a week of them.

Steps:
    1. the whole local stack, its schedule paused; in each of some minutes one healthy triage, and the heartbeats
    2. the rows that these minutes added, by table, and the bytes
    3. the stack stopped: the same rows again and again, with ids and times of their own, until a week has passed;
       Prefect's own clean-up runs over them with the settings of the local stack, its clock set to the simulated time
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.runs import REPOSITORY, stack
from deployments.environment import server_environment
from deployments.local_http import ask
from deployments.ports import SERVER
from deployments.state_dir import StateDir

RESULTS = Path(__file__).parent / "results"
# The file of the last day may exceed that of the third by this much, and is still called bounded.
BOUNDED = 1.05
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
MINUTE_S = 60


def main() -> int:
    """Measure, print, write the figures; 3 when the file still grows at the end of the week."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-database-") as folder:
        minutes = measured_minutes(Path(folder), given)
        week = simulated(Path(folder), minutes["marks"], given.days)
    figures = {"measured_at": datetime.now(UTC).isoformat(), **summary(minutes), **week}
    sys.stdout.write(table(figures))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "database.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if figures["is_bounded"] else 3


def measured_minutes(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Let some real minutes pass, and give what the database held at the edge of each."""
    database = StateDir(folder).prefect_home / "prefect.db"
    with stack(folder, given.up) as api:
        manual = (ask(f"{api}/deployments/name/triage/manual", timeout_s=10.0) or {})["id"]
        healthy_triage(api, manual)
        time.sleep(MINUTE_S / 4)
        marks = [mark(database)]
        for _ in range(given.minutes):
            ends_at = time.monotonic() + MINUTE_S
            healthy_triage(api, manual)
            time.sleep(max(0.0, ends_at - time.monotonic()))
            marks.append(mark(database))
    return {"marks": marks, "minutes": given.minutes}


def healthy_triage(api: str, deployment_id: str) -> None:
    """Run one triage to its end.

    Errors: SystemExit when it does not complete.
    """
    body = {"idempotency_key": uuid.uuid4().hex}
    run = ask(f"{api}/deployments/{deployment_id}/create_flow_run", body, timeout_s=10.0) or {}
    state: dict[str, Any] = {}
    while state.get("type") not in FINAL:
        time.sleep(0.2)
        state = (ask(f"{api}/flow_runs/{run['id']}", timeout_s=10.0) or {}).get("state") or {}
    if state["type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed triage was {state['type']} {state['message']}")


def mark(database: Path) -> dict[str, int]:
    """Give the last row of each table, and the bytes in use."""
    with closing(sqlite3.connect(database)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "freelist_count", "page_size")
        )
        rows = {name: connection.execute(f'SELECT max(rowid) FROM "{name}"').fetchone()[0] or 0 for name in TABLES}  # noqa: S608
    return {**rows, "bytes": (pages - free) * size}


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


def simulated(folder: Path, marks: list[dict[str, int]], days: int) -> dict[str, Any]:
    """Let the week pass in a process of its own, whose Prefect reads the settings of the stack's server."""
    state = StateDir(folder)
    asked = folder / "week.json"
    asked.write_text(json.dumps({"from": marks[0], "to": marks[-1], "minutes": len(marks) - 1, "days": days}), "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = {**server_environment(state, {SERVER: 4200}), "PREFECT_LOGGING_LEVEL": "WARNING"}
    words = [sys.executable, "-m", "bench.database_week", str(state.prefect_home / "prefect.db"), str(asked)]
    told = subprocess.run(words, env={**kept, **settings}, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def summary(measured: dict[str, Any]) -> dict[str, Any]:
    """Give what one healthy minute adds."""
    first, last, minutes = measured["marks"][0], measured["marks"][-1], measured["minutes"]
    added = {name: (last[name] - first[name]) / minutes for name in (*TABLES, "bytes")}
    return {
        "minutes_measured": minutes,
        "bytes_a_minute": added.pop("bytes"),
        "rows_a_minute": added,
        "rows_a_minute_sum": sum(added.values()),
    }


def table(figures: dict[str, Any]) -> str:
    """Write the figures for a person."""
    rows = ", ".join(f"{name} {count:.0f}" for name, count in figures["rows_a_minute"].items())
    days = "".join(
        f"  day {one['day']:>4.1f}{one['file_bytes'] / 1e6:>9.1f} MB file{one['used_bytes'] / 1e6:>9.1f} MB in use"
        f"{one['rows']:>10} rows\n"
        for one in figures["course"]
    )
    verdict = "bounded" if figures["is_bounded"] else "NOT bounded"
    return (
        f"a healthy minute: {figures['rows_a_minute_sum']:.0f} rows, {figures['bytes_a_minute'] / 1e3:.0f} kB\n"
        f"  ({rows})\n"
        f"{days}"
        f"kept for ever it would be {figures['unbounded_bytes'] / 1e6:.0f} MB after {figures['days']} days; "
        f"the file is {verdict} at {figures['largest_bytes'] / 1e6:.0f} MB\n"
        f"one clean-up after {figures['step_minutes']} minutes takes {figures['vacuum_median_s']:.2f} s (median), "
        f"{figures['vacuum_max_s']:.2f} s (longest)\n"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the database of a week of healthy minutes.")
    parser.add_argument("--minutes", type=int, default=3, choices=(1, 3, 5), help="real minutes")
    parser.add_argument("--days", type=int, default=7, choices=range(4, 32), help="simulated days")
    parser.add_argument("--up", nargs="*", default=[], help="further words for `runbook up`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
