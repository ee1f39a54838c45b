"""Measure the order path: real gateways, real service, real sockets, beside a bare FastAPI echo in the same run.

Steps:
    1. The echo, closed loop: what the server under both can do on this machine at this moment.
    2. The service, closed loop: as many orders as it takes.
    3. The service, open loop at a fixed rate: latency as clients feel it, waiting in line included.
    4. Every accepted order is looked for at the gateways: once, at one of them, or the run has failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from bench.measuring.figures import Alternative, Figure, at_least, at_most
from bench.measuring.machine import Elsewhere
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.orders_stack import Process, Stack, running, running_stack

BUDGET_PER_S = 800
BUDGET_P99_MS = 60

Figures = dict[str, Any]


def main() -> int:
    """Measure, print, write; 1 when an order was lost or doubled, 3 when a budget was missed."""
    parser = bench_arguments("bench.orders", __doc__, databases=False)
    parser.add_argument("--seconds", type=float, help="length of each of the three loads, at most 15")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=840, help="orders a second of the open loop")
    given = parser.parse_args()
    given.seconds = given.seconds or (4.0 if given.quick else 8.0)
    if not 0 < given.seconds <= 15:
        parser.error("argument --seconds: expected more than 0 and at most 15")
    return run_bench("orders", given, measured)


def measured(given: argparse.Namespace) -> Measured:
    """Run the loads, and lay their rows out.

    Errors: SystemExit where an order was lost or doubled: then no speed counts.
    """
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as directory:
        found = measure(given, Path(directory))
    if found["lost"] or found["doubled"] or found["open"]["errors"]:
        errors = f"lost={len(found['lost'])} doubled={len(found['doubled'])} errors={found['open']['errors']}"
        raise SystemExit(f"ORDERS_WRONG: expected every order once was {errors}")
    others = max(found[name]["elsewhere_cores"] for name in ("echo", "closed", "open"))
    return Measured(tuple(rows_of(found)), others, found)


def rows_of(found: Figures) -> list[Figure]:
    """Lay the rows out: the closed loop beside the echo, the open loop under its budgets."""
    echo, closed, opened = found["echo"], found["closed"], found["open"]

    def one(what: str, unit: str, load: Figures, name: str, **more: Any) -> Figure:
        return Figure(what=what, unit=unit, values=(load[name],), **more)

    bare = Alternative(name="bare FastAPI echo", values=(echo["per_s"],))
    slow = at_most(BUDGET_P99_MS)
    return [
        one("orders, closed loop", "1/s", closed, "per_s", more_is_better=True, alternatives=(bare,)),
        one("orders, open loop", "1/s", opened, "per_s", more_is_better=True, budget=at_least(BUDGET_PER_S)),
        one("order latency, open loop, median", "ms", opened, "p50_ms"),
        one("order latency, open loop, p95", "ms", opened, "p95_ms"),
        one("order latency, open loop, p99", "ms", opened, "p99_ms", budget=slow),
        one("CPU an order, open loop", "ms", opened, "cpu_ms_an_order"),
    ]


def measure(given: argparse.Namespace, directory: Path) -> Figures:
    """Run the three loads and the count."""
    with running("echo", "bench.orders_echo") as echo:
        bare = _load(echo, "echo", given.seconds, given.connections, 0)
    with running_stack(directory) as stack:
        _load(stack.service, "warm", 1, given.connections, 0)
        closed = _load(stack.service, "closed", given.seconds, given.connections, 0)
        opened = _load(stack.service, "open", given.seconds, given.connections, given.rate)
        counted = _count(stack, closed["accepted"] + opened["accepted"])
    for load in (bare, closed, opened):
        load["accepted"] = len(load["accepted"])
    return {"echo": bare, "closed": closed, "open": opened, **counted}


def _load(target: Process, prefix: str, seconds: float, connections: int, rate: float) -> Figures:
    words = ["--port", target.ports[0], "--prefix", prefix, "--seconds", seconds]
    words += ["--connections", connections, "--rate", rate]
    command = [sys.executable, "-m", "bench.orders_load", *map(str, words)]
    process, busy = psutil.Process(target.handle.pid), Elsewhere()
    before = sum(process.cpu_times()[:2])
    told = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20, check=True)
    figures: Figures = json.loads(told.stdout)
    figures["cpu_ms_an_order"] = 1000 * (sum(process.cpu_times()[:2]) - before) / max(1, figures["orders"])
    figures["elsewhere_cores"] = busy.cores()
    figures["errors"] = figures["sent"] - figures["statuses"].get("201", 0)
    return figures


def _count(stack: Stack, accepted: list[str]) -> Figures:
    booked = stack.booked()
    return {
        "accepted": len(accepted),
        "booked": len(booked),
        "lost": [known_as for known_as in accepted if known_as not in booked],
        "doubled": [known_as for known_as, where in booked.items() if len(where) > 1 or where[0][1] > 1],
    }


if __name__ == "__main__":
    sys.exit(main())
