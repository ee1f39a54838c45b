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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import Bench, Figure, Run, row
from bench.machine import cpu_s, family
from bench.order_stack import Process, order_stack, running
from bench.report import REPOSITORY

Load = dict[str, Any]
GRACE_S = 20


def measure(run: Run) -> Iterator[Figure]:
    """Run the loads.

    Errors: SystemExit where an order was lost or doubled: then no speed counts.
    """
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as folder:
        found = run.details = loads(run.given, Path(folder))
    if found["lost"] or found["doubled"] or found["open"]["errors"]:
        errors = f"lost={len(found['lost'])} doubled={len(found['doubled'])} errors={found['open']['errors']}"
        raise SystemExit(f"ORDERS_WRONG: expected every order once was {errors}")

    bare, opened = {"bare FastAPI echo": [found["echo"]["per_s"]]}, found["open"]
    yield row("orders, closed loop", "1/s", [found["closed"]["per_s"]], bare, more_is_better=True)
    yield row("orders, open loop", "1/s", [opened["per_s"]], more_is_better=True)
    for name, key in (("median", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms")):
        yield row(f"order latency, open loop, {name}", "ms", [opened[key]])
    yield row("CPU an order, open loop", "ms", [opened["cpu_ms_an_order"]])


def loads(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the three loads, and count each accepted order at the gateways."""
    with running("echo", "bench.orders_echo") as echo:
        bare = load(echo, "echo", given)
    with order_stack(folder) as stack:
        load(stack.service, "warm", given, seconds=1)
        closed = load(stack.service, "closed", given)
        opened = load(stack.service, "open", given, rate=given.rate)
        booked = stack.booked()
    accepted = closed["accepted"] + opened["accepted"]
    for one in (bare, closed, opened):
        one["accepted"] = len(one["accepted"])
    return {
        "echo": bare,
        "closed": closed,
        "open": opened,
        "accepted": len(accepted),
        "booked": len(booked),
        "lost": [client_order_id for client_order_id in accepted if client_order_id not in booked],
        "doubled": [client_order_id for client_order_id, counts in booked.items() if sum(counts) > 1],
    }


def load(target: Process, prefix: str, given: argparse.Namespace, seconds: float = 0.0, rate: float = 0.0) -> Load:
    seconds = seconds or given.seconds
    words = [target.ports[0], prefix, seconds, given.connections, rate]
    command, spent = [sys.executable, "-m", "bench.orders_load", *map(str, words)], family(target.handle.pid)
    before = cpu_s(spent)
    found: Load = json.loads(subprocess.check_output(command, timeout=seconds + GRACE_S, cwd=REPOSITORY))
    found["cpu_ms_an_order"] = 1000 * (cpu_s(spent) - before) / max(1, found["orders"])
    found["errors"] = found["sent"] - found["statuses"].get("201", 0)
    return found


BENCH = Bench("orders", measure, options={"seconds": (8.0, 4.0), "connections": (32, 32), "rate": (840.0, 840.0)})
