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
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.orders_stack import Process, Stack, running, running_stack

BUDGET_PER_S = 800
BUDGET_P99_MS = 60
RESULTS = Path(__file__).parent / "results"

Figures = dict[str, Any]


def main() -> int:
    """Measure, print, write the figures; 1 when an order was lost or doubled, 3 when the budget was missed."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as directory:
        figures = measure(given, Path(directory))
    _print(figures)
    path = _write(figures)
    sys.stdout.write(f"written to {path}\n")
    if figures["lost"] or figures["doubled"]:
        return 1
    return 0 if figures["within_budget"] or given.no_budget else 3


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
    within = opened["per_s"] >= BUDGET_PER_S and opened["p99_ms"] <= BUDGET_P99_MS and opened["errors"] == 0
    ratio = closed["per_s"] / bare["per_s"]
    return {"echo": bare, "closed": closed, "open": opened, "ratio": ratio, **counted, "within_budget": within}


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


class Elsewhere:
    """Measure how busy the machine was with other work: figures taken beside a compiler say little."""

    def __init__(self) -> None:
        self._at, self._machine_s, self._ours_s = time.monotonic(), _machine_s(), _ours_s()

    def cores(self) -> float:
        """Give the cores that other work has used since."""
        spent_s = (_machine_s() - self._machine_s) - (_ours_s() - self._ours_s)
        return max(0.0, spent_s / (time.monotonic() - self._at))


def _machine_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system)


def _ours_s() -> float:
    """Give the seconds of this process, of the children that run, and of those waited for."""
    own = psutil.Process()
    running = (own, *own.children(recursive=True))
    waited = own.cpu_times()
    return float(sum(sum(each.cpu_times()[:2]) for each in running) + waited.children_user + waited.children_system)


def _count(stack: Stack, accepted: list[str]) -> Figures:
    booked = stack.booked()
    return {
        "accepted": len(accepted),
        "booked": len(booked),
        "lost": [known_as for known_as in accepted if known_as not in booked],
        "doubled": [known_as for known_as, where in booked.items() if len(where) > 1 or where[0][1] > 1],
    }


def _print(figures: Figures) -> None:
    for name in ("echo", "closed", "open"):
        load = figures[name]
        sys.stdout.write(
            f"{name:<7} {load['per_s']:7.0f} orders/s  p50 {load['p50_ms']:6.2f}  p95 {load['p95_ms']:6.2f}  "
            f"p99 {load['p99_ms']:6.2f} ms  errors {load['errors']}  cpu {load['cpu_ms_an_order']:.2f} ms an order  "
            f"(other work {load['elsewhere_cores']:.1f} cores)\n"
        )
    sys.stdout.write(f"ratio to the echo {figures['ratio']:.2f}\n")
    lost, doubled = len(figures["lost"]), len(figures["doubled"])
    sys.stdout.write(f"accepted {figures['accepted']}  booked {figures['booked']}  lost {lost}  doubled {doubled}\n")
    budget = f"{BUDGET_PER_S} orders/s with p99 {BUDGET_P99_MS} ms, open loop"
    sys.stdout.write(f"{'within' if figures['within_budget'] else 'OUTSIDE'} the budget of {budget}\n")


def _write(figures: Figures) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC)
    path = RESULTS / f"orders-{at:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps({"at": at.isoformat(), "cores": psutil.cpu_count(), **figures}, indent=1))
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.orders", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seconds", type=float, default=8, help="length of each of the three loads, at most 15")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=840, help="orders a second of the open loop")
    parser.add_argument("--no-budget", action="store_true", help="do not fail on a missed budget")
    given = parser.parse_args()
    if not 0 < given.seconds <= 15:
        parser.error("argument --seconds: expected more than 0 and at most 15")
    return given


if __name__ == "__main__":
    sys.exit(main())
