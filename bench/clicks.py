"""Measure how a person's clicks fare while the stack works: as plain HTTP, which is asked once and never again.

Steps:
    1. the whole local stack on SQLite, and on it its own server, then Prefect's `prefect server start` in its place;
       then the stack on PostgreSQL, where that is installed
    2. on each, for a while: a triage every few seconds beside the schedule and the service's heartbeats, and some
       people who list runs, start one, cancel one and resume one, each with what the UI sends
    3. of each kind of click: how long it took, and how many failed
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench.clicks_people import Person
from bench.measuring.figures import Alternative, Figure, at_most, slow_end
from bench.measuring.machine import Elsewhere
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import Database, bench_stack
from deployments.environment import server_environment
from deployments.local_http import answers, ask
from deployments.ports import HOST, SERVER
from deployments.stack_file import read_stack
from deployments.state_dir import StateDir
from tests.fakes.postgres import missing

STOCK, OURS, POSTGRES = "SQLite, stock server", "SQLite, our server", "PostgreSQL, our server"
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

    def clicks(self) -> list[tuple[str, float, int]]:
        """Give every click of everybody: its kind, its seconds, its HTTP status (0: no answer)."""
        return [click for person in self.people for click in person.clicks]


def main() -> int:
    """Measure, print, write; 3 when a click failed on a server of ours."""
    parser = bench_arguments("bench.clicks", __doc__, databases=False)
    parser.add_argument("--seconds", type=int, help="on each server")
    parser.add_argument("--people", type=int, default=4, help="who click at the same time")
    given = parser.parse_args()
    given.seconds = given.seconds or (8 if given.quick else 30)
    return run_bench("clicks", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Measure one server after the other."""
    phases, other_cores = zip(*on_sqlite(given), *on_postgres(given), strict=True)
    details = {"people": given.people, "seconds": given.seconds, "servers": [figures_of(one) for one in phases]}
    return Measured(tuple(rows_of(phases)), max(other_cores), details)


def on_sqlite(given: argparse.Namespace) -> list[tuple[Phase, float]]:
    """Measure our server, then the stock one in its place, on one database."""
    with bench_stack(Database.SQLITE, scheduled=True) as stack:
        ours = measured(OURS, stack.api, given, stack.elsewhere())
        with stock_server(stack.state):
            return [measured(STOCK, stack.api, given, stack.elsewhere()), ours]


def on_postgres(given: argparse.Namespace) -> list[tuple[Phase, float]]:
    """Measure the stack on a PostgreSQL of its own; without one, nothing."""
    if missing():
        sys.stderr.write(f"{missing()}; left out\n")
        return []
    with bench_stack(Database.POSTGRESQL, scheduled=True) as stack:
        return [measured(POSTGRES, stack.api, given, stack.elsewhere())]


def rows_of(phases: "tuple[Phase, ...]") -> Iterator[Figure]:
    """Lay the rows out: each server of ours beside the stock one."""
    stock = phases[0]
    for phase in phases[1:]:
        beside = (Alternative(name=STOCK, values=(failed_percent(stock),)),)
        yield Figure(
            what=f"clicks that fail, {phase.name}", unit="%", values=(failed_percent(phase),), alternatives=beside,
            budget=at_most(0), note=f"{len(phase.clicks())} clicks",
        )  # fmt: skip
        beside = (Alternative(name=STOCK, values=waits_ms(stock)),)
        yield Figure(what=f"a click, {phase.name}", unit="ms", values=waits_ms(phase), alternatives=beside)


def failed_percent(phase: Phase) -> float:
    """Give the share of the clicks that failed."""
    clicks = phase.clicks()
    return 100 * sum(not 200 <= status < 300 for _, _, status in clicks) / len(clicks)


def waits_ms(phase: Phase) -> tuple[float, ...]:
    """Give how long each click took."""
    return tuple(1000 * seconds for _, seconds, _ in phase.clicks())


def measured(name: str, api: str, given: argparse.Namespace, busy: Elsewhere) -> tuple[Phase, float]:
    """Let people click for a while, beside a triage every few seconds. Units: cores that other work used meanwhile."""
    deployment = (ask(f"{api}/deployments/name/triage/manual", timeout_s=20.0) or {})["id"]
    phase = Phase(name, [Person(api, number) for number in range(given.people)])
    started(api, deployment)
    time.sleep(SETTLE_S)
    over = threading.Event()
    threads = [threading.Thread(target=person.click_until, args=(over,)) for person in phase.people]
    runs: list[str | None] = []
    for thread in threads:
        thread.start()
    ends_s = time.monotonic() + given.seconds
    while time.monotonic() < ends_s:
        runs.append(started(api, deployment))
        time.sleep(TRIAGE_EVERY_S)
    over.set()
    for thread in threads:
        thread.join()
    wait_for(lambda: all(ended_state(api, run) for run in runs), ENDS_WITHIN_S)
    phase.triages.update(ended_state(api, run) or "NO_END" for run in runs)
    return phase, busy.cores()


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
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Give the middle and the ends of some times. Units: seconds."""
    found = tuple(seconds)
    return {"median_s": statistics.median(found), "p95_s": slow_end(found), "max_s": max(found)}


if __name__ == "__main__":
    sys.exit(main())
