"""Measure a run from its trigger to its end, and its CPU: our worker beside Prefect's process worker and `serve()`.

Steps:
    1. the whole local stack, whose healthy service is triaged; its own schedule is paused
    2. beside it, on the same server, a stock process worker and a `flow.serve()`, each with Prefect's defaults
    3. in turn, one triage with each of them: trigger to *Completed*, CPU of the worker with all its processes
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.orders import Elsewhere

BUDGET_S, BUDGET_CPU_S = 1.2, 0.5
RESULTS = Path(__file__).parent / "results"
REPOSITORY = Path(__file__).parents[1]
COMMAND = (sys.executable, "-c", "from deployments.cli import main; main()")
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
# What a run still does after its end is reported: its last logs and events, its process.
SETTLE_S = 3.0
IDLE_S = 10.0


@dataclass
class Executor:
    """One way to run a deployment: its process, and what its runs cost. Units: seconds."""

    name: str
    pid: int
    deployment_id: str
    walls_s: list[float] = field(default_factory=list)
    cpus_s: list[float] = field(default_factory=list)
    idle_cores: float = 0.0

    def cpu_s(self) -> float:
        """Sum the CPU of the process, of all it has started, and of those that have ended."""
        root = psutil.Process(self.pid)
        return sum(sum(one.cpu_times()[:4]) for one in (root, *root.children(recursive=True)))


def main() -> int:
    """Measure, print, write the figures; 1 when a run did not complete, 3 when a budget was missed."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-runs-") as folder, stack(Path(folder), given.up) as api:
        figures = measure(api, Path(folder), given)
    sys.stdout.write(table(figures))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"runs{given.label}.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    ours = figures["executors"][0]
    return 0 if ours["median_s"] <= BUDGET_S and ours["cpu_median_s"] <= BUDGET_CPU_S else 3


def measure(api: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Trigger in turn, so that all meet the same minutes of the machine."""
    with ExitStack() as running:
        status = _status(folder)
        executors = [Executor("warm worker", status["worker"]["pid"], _deployment(api, "manual"))]
        if not given.ours_only:
            executors.append(running.enter_context(stock_worker(api, folder)))
            executors.append(running.enter_context(served(api, folder)))
        for one in executors:
            _finish(api, one.deployment_id)
        _idle(executors)
        busy = Elsewhere()
        for _ in range(given.runs):
            for one in executors:
                one_run(api, one)
        return {
            "measured_at": datetime.now(UTC).isoformat(),
            "runs": given.runs,
            "budget_s": BUDGET_S,
            "budget_cpu_s": BUDGET_CPU_S,
            "other_work_cores": busy.cores(),
            "executors": [_figures(one) for one in executors],
        }


def one_run(api: str, executor: Executor) -> None:
    """Trigger one triage and see it complete."""
    before_s = executor.cpu_s()
    executor.walls_s.append(_finish(api, executor.deployment_id))
    time.sleep(SETTLE_S)
    executor.cpus_s.append(executor.cpu_s() - before_s)


def _idle(executors: list[Executor]) -> None:
    time.sleep(SETTLE_S)
    before = [one.cpu_s() for one in executors]
    time.sleep(IDLE_S)
    for one, before_s in zip(executors, before, strict=True):
        one.idle_cores = (one.cpu_s() - before_s) / IDLE_S


def _figures(one: Executor) -> dict[str, Any]:
    return {
        "name": one.name,
        "median_s": statistics.median(one.walls_s),
        "p95_s": sorted(one.walls_s)[math.ceil(0.95 * len(one.walls_s)) - 1],
        "cpu_median_s": statistics.median(one.cpus_s),
        "idle_cores": one.idle_cores,
        "walls_s": one.walls_s,
        "cpus_s": one.cpus_s,
    }


def table(figures: dict[str, Any]) -> str:
    """Write the figures for a person."""
    rows = [f"{'':<22}{'median':>9}{'p95':>9}{'CPU a run':>12}{'idle':>13}"]
    rows += [
        f"{one['name']:<22}{one['median_s']:>7.2f} s{one['p95_s']:>7.2f} s{one['cpu_median_s']:>8.2f} CPU-s"
        f"{one['idle_cores']:>7.3f} cores"
        for one in figures["executors"]
    ]
    budget = (
        f"budget {BUDGET_S} s and {BUDGET_CPU_S} CPU-s; other work on the machine {figures['other_work_cores']:.1f}"
    )
    head = f"a healthy triage from the trigger to its end, {figures['runs']} runs each\n"
    return head + "\n".join(rows) + f"\n{budget} cores\n"


@contextmanager
def stack(folder: Path, words: list[str]) -> Iterator[str]:
    """Bring the local stack up, its schedule paused, and give the address of its API."""
    subprocess.run([*COMMAND, "up", "--detach", *words], env=_variables(folder), check=True, stdout=subprocess.DEVNULL)
    try:
        api = _status(folder)["prefect"]["api_url"]
        _call(api, "PATCH", f"/deployments/{_deployment(api, 'every-minute')}", {"paused": True})
        yield api
    finally:
        subprocess.run([*COMMAND, "down"], env=_variables(folder), check=True, stdout=subprocess.DEVNULL)


@contextmanager
def stock_worker(api: str, folder: Path) -> Iterator[Executor]:
    """Run Prefect's process worker on a pool of its own, with a deployment of the same flow."""
    _call(api, "POST", "/work_pools/", {"name": "bench", "type": "process"})
    flow_id = _call(api, "POST", "/flows/", {"name": "triage"})["id"]
    body = {"name": "bench-process", "flow_id": flow_id, "entrypoint": "flows.triage.triage", "work_pool_name": "bench"}
    made = _call(api, "POST", "/deployments/", {**body, "parameter_openapi_schema": {}})
    words = ("-m", "prefect", "worker", "start", "--pool", "bench", "--type", "process")
    with _running(api, folder, words) as pid:
        yield Executor("stock process worker", pid, made["id"])


@contextmanager
def served(api: str, folder: Path) -> Iterator[Executor]:
    """Serve the same flow with `flow.serve()`."""
    with _running(api, folder, ("-m", "bench.runs_serve")) as pid:
        deadline = time.monotonic() + 60
        while (found := _deployment(api, "bench-serve")) is None and time.monotonic() < deadline:
            time.sleep(0.2)
        yield Executor("stock serve()", pid, found or "")


@contextmanager
def _running(api: str, folder: Path, words: tuple[str, ...]) -> Iterator[int]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    variables = {"PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(REPOSITORY)}
    files = {"RUNBOOK_CONFIG": str(folder / "runbook.toml"), "RUNBOOK_STATE_DIR": str(folder)}
    with (folder / "bench.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words], env={**kept, **variables, **files}, cwd=folder, stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _finish(api: str, deployment_id: str) -> float:
    """Trigger a run and wait for its end. Units: seconds from before the trigger to the end as a client sees it."""
    started = time.perf_counter()
    body = {"idempotency_key": uuid.uuid4().hex}
    run = _call(api, "POST", f"/deployments/{deployment_id}/create_flow_run", body)
    while (state := _call(api, "GET", f"/flow_runs/{run['id']}")["state"])["type"] not in FINAL:
        time.sleep(0.05)
    if state["type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed triage was {state['type']} {state['message']}")
    return time.perf_counter() - started


def _deployment(api: str, name: str) -> Any:
    try:
        return _call(api, "GET", f"/deployments/name/triage/{name}")["id"]
    except urllib.error.HTTPError:
        return None


def _call(api: str, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{api}{path}", data, headers, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def _status(folder: Path) -> Any:
    told = subprocess.run([*COMMAND, "status", "--json"], env=_variables(folder), capture_output=True, check=True)
    return json.loads(told.stdout)


def _variables(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
    return {**kept, "RUNBOOK_STATE_DIR": str(folder)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.runs", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--runs", type=int, default=10, help="runs of each")
    parser.add_argument("--ours-only", action="store_true", help="leave out what it is compared with")
    parser.add_argument("--label", default="", help="ends the name of the written file")
    parser.add_argument("--up", nargs="*", default=[], help="further words for `runbook up`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
