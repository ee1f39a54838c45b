"""Measure how a person's clicks fare while the stack works: as plain HTTP, which is asked once and never again.

Steps:
    1. the whole local stack on SQLite, and on it its own server, then Prefect's `prefect server start` in its place;
       then the stack on PostgreSQL, where that is installed
    2. on each, for a while: a triage every few seconds beside the schedule and the service's heartbeats, and some
       people who list runs, start one, cancel one and resume one, each with what the UI sends
    3. of each kind of click: how long it took, and how many failed
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.clicks_people import Person
from bench.runs import stack
from deployments.environment import server_environment
from deployments.local_http import answers, ask
from deployments.ports import HOST, SERVER
from deployments.stack_file import read_stack
from deployments.state_dir import StateDir
from tests.fakes.postgres import missing, postgres

RESULTS = Path(__file__).parent / "results"
STOCK, OURS, POSTGRES = "SQLite, stock server", "SQLite, our server", "PostgreSQL"
TRIAGE_EVERY_S = 4.0
SERVER_WITHIN_S = 90.0
SETTLE_S = 5.0
ENDS_WITHIN_S = 15.0


@dataclass
class Phase:
    """What the people met on one server."""

    name: str
    people: list[Person] = field(default_factory=list)
    triages: Counter[str] = field(default_factory=Counter)
    busy_cores: float = 0.0

    def clicks(self) -> list[tuple[str, float, int]]:
        """Give every click of everybody: its kind, its seconds, its HTTP status (0: no answer)."""
        return [click for person in self.people for click in person.clicks]


def main() -> int:
    """Measure, print, write the figures; 3 when a click failed on a server of ours."""
    given = _arguments()
    phases = [*on_sqlite(given), *on_postgres(given)]
    figures = {
        "measured_at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "people": given.people,
        "seconds": given.seconds,
        "servers": [figures_of(one) for one in phases],
    }
    sys.stdout.write(table(figures))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "clicks.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 3 if any(one["failed_count"] for one in figures["servers"] if one["name"] != STOCK) else 0


def on_sqlite(given: argparse.Namespace) -> list[Phase]:
    """Measure our server, then the stock one in its place, on one database."""
    with tempfile.TemporaryDirectory(prefix="bench-clicks-") as folder, stack(Path(folder), given.up) as api:
        ours = measured(OURS, api, given)
        with stock_server(StateDir(Path(folder))):
            return [measured(STOCK, api, given), ours]


def on_postgres(given: argparse.Namespace) -> list[Phase]:
    """Measure the stack on a PostgreSQL of its own; without one, nothing."""
    reason = missing()
    if reason:
        sys.stderr.write(f"{reason}; left out\n")
        return []
    with (
        postgres(durable=True) as cluster,
        cluster.database() as url,
        tempfile.TemporaryDirectory(prefix="bench-clicks-") as folder,
        stack(Path(folder), ["--database-url", url, *given.up]) as api,
    ):
        return [measured(POSTGRES, api, given)]


def measured(name: str, api: str, given: argparse.Namespace) -> Phase:
    """Let people click for a while, beside a triage every few seconds."""
    deployment = (ask(f"{api}/deployments/name/triage/manual", timeout_s=20.0) or {})["id"]
    phase = Phase(name, [Person(api, number) for number in range(given.people)])
    started(api, deployment)
    time.sleep(SETTLE_S)
    over = threading.Event()
    threads = [threading.Thread(target=person.click_until, args=(over,)) for person in phase.people]
    began, runs = (time.monotonic(), busy_s()), []
    for thread in threads:
        thread.start()
    ends_s = time.monotonic() + given.seconds
    while time.monotonic() < ends_s:
        runs.append(started(api, deployment))
        time.sleep(TRIAGE_EVERY_S)
    over.set()
    for thread in threads:
        thread.join()
    phase.busy_cores = (busy_s() - began[1]) / (time.monotonic() - began[0])
    wait_for(lambda: all(ended_state(api, run) for run in runs), ENDS_WITHIN_S)
    phase.triages.update(ended_state(api, run) or "NO_END" for run in runs)
    return phase


def busy_s() -> float:
    """Give the CPU seconds that the whole machine has spent on work."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def started(api: str, deployment: str) -> str | None:
    """Ask for one triage. This load is asked for until it is taken."""
    for _ in range(10):
        run = ask(f"{api}/deployments/{deployment}/create_flow_run", {}, timeout_s=20.0) or {}
        if "id" in run:
            return str(run["id"])
    return None


def ended_state(api: str, run: str | None) -> str | None:
    """Give the state of a triage that is over; one that the server never took is over, too."""
    if run is None:
        return "NOT_TAKEN"
    found = ask(f"{api}/flow_runs/{run}", timeout_s=20.0) or {}
    return found["state_type"] if found.get("end_time") else None


def wait_for(holds: Callable[[], Any], within_s: float) -> Any:
    """Poll until it holds, and give what it said; None when it never does."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.2)
    return None


@contextmanager
def stock_server(state: StateDir) -> Iterator[None]:
    """Put Prefect's own server in the place of the stack's, on the same port and database."""
    running = read_stack(state.stack_file)
    if running is None:
        raise SystemExit("NO_STACK: expected a running stack was none")
    ours = psutil.Process(running.parts[SERVER].identity.pid)
    ours.terminate()
    ours.wait(30)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    words = ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(running.ports[SERVER]))
    with state.log("stock-server").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words],
            env={**kept, **server_environment(state, running.ports)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        if not wait_for(lambda: answers(f"http://{HOST}:{running.ports[SERVER]}/api/health"), SERVER_WITHIN_S):
            raise SystemExit(
                f"NO_SERVER: expected prefect server start to answer was none; see {state.log('stock-server')}"
            )
        time.sleep(SETTLE_S)
        yield
    finally:
        for one in (process, *psutil.Process(process.pid).children(recursive=True)):
            one.terminate()
        process.wait(30)


def figures_of(phase: Phase) -> dict[str, Any]:
    """Summarise one server."""
    clicks = phase.clicks()
    failed = Counter(str(status) for _, _, status in clicks if not 200 <= status < 300)
    kinds = sorted({kind for kind, _, _ in clicks})
    return {
        "name": phase.name,
        "clicks_count": len(clicks),
        "failed_count": sum(failed.values()),
        "failed_by_status": dict(failed),
        "failed_ratio": sum(failed.values()) / len(clicks),
        "all": spread([seconds for _, seconds, _ in clicks]),
        "kinds": {kind: spread([seconds for one, seconds, _ in clicks if one == kind]) for kind in kinds},
        "failed_by_kind": {
            kind: sum(not 200 <= status < 300 for one, _, status in clicks if one == kind) for kind in kinds
        },
        "triages": dict(phase.triages),
        "busy_cores": phase.busy_cores,
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Give the middle and the ends of some times. Units: seconds."""
    ordered = sorted(seconds)
    at = lambda part: ordered[math.ceil(part * len(ordered)) - 1]  # noqa: E731 - three uses in one line
    return {"median_s": statistics.median(ordered), "p95_s": at(0.95), "p99_s": at(0.99), "max_s": ordered[-1]}


def table(figures: dict[str, Any]) -> str:
    """Write the figures for a person."""
    head = f"{'clicks under load':<24}{'clicks':>8}{'failed':>8}{'median':>10}{'p95':>10}{'p99':>10}{'max':>10}\n"
    rows = "".join(_row(one) for one in figures["servers"])
    load = f"{figures['people']} people for {figures['seconds']} s each, a triage every {TRIAGE_EVERY_S:.0f} s"
    busy = ", ".join(f"{one['busy_cores']:.1f}" for one in figures["servers"])
    return f"{head}{rows}{load}; of {figures['cores']} cores {busy} were busy, the stack's own work with it\n"


def _row(one: dict[str, Any]) -> str:
    times = "".join(f"{1000 * one['all'][name]:>7.0f} ms" for name in ("median_s", "p95_s", "p99_s", "max_s"))
    why = ", ".join(f"{count} x {status}" for status, count in one["failed_by_status"].items())
    return f"{one['name']:<24}{one['clicks_count']:>8}{one['failed_count']:>8}{times}  {why}\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the clicks of people while the stack works.")
    parser.add_argument("--seconds", type=int, default=30, help="on each server")
    parser.add_argument("--people", type=int, default=4, help="who click at the same time")
    parser.add_argument("--up", nargs="*", default=[], help="further words for `runbook up`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
