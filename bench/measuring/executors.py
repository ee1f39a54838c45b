"""The ways to run a deployment, side by side on one server: our worker, Prefect's process worker, `flow.serve()`."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from bench.measuring.machine import cpu_s, family
from bench.measuring.prefect_calls import call, deployment_id, find_deployment
from bench.measuring.stack import REPOSITORY, BenchStack
from deployments.ports import SERVER

OURS, STOCK_WORKER, STOCK_SERVE = "warm worker", "stock process worker", "stock serve()"
UP_WITHIN_S, ENDS_WITHIN_S = 60.0, 15.0


@dataclass(frozen=True)
class Executor:
    """One way to run a deployment, with its process."""

    name: str
    pid: int
    deployment: str

    def cpu_s(self) -> float:
        """Sum the CPU of the process, of all it has started, and of those that have ended. Units: seconds."""
        return cpu_s(family(self.pid))


def warm(stack: BenchStack) -> Executor:
    """Name the stack's own worker."""
    return Executor(OURS, stack.status()["worker"]["pid"], deployment_id(stack.api, "triage/manual"))


def server_family(stack: BenchStack) -> list[psutil.Process]:
    """Find the processes of Prefect's server."""
    return family(stack.record.parts[SERVER].identity.pid)


@contextmanager
def stock_worker(stack: BenchStack) -> Iterator[Executor]:
    """Run Prefect's process worker on a pool of its own, with a deployment of the same flow."""
    api = stack.api
    call(api, "POST", "/work_pools/", {"name": "bench", "type": "process"})
    flow_id = call(api, "POST", "/flows/", {"name": "triage"})["id"]
    body = {"name": "bench-process", "flow_id": flow_id, "entrypoint": "flows.triage.triage", "work_pool_name": "bench"}
    made = call(api, "POST", "/deployments/", {**body, "parameter_openapi_schema": {}})
    words = ("-m", "prefect", "worker", "start", "--pool", "bench", "--type", "process")
    with _running(stack, words) as pid:
        yield Executor(STOCK_WORKER, pid, made["id"])


@contextmanager
def served(stack: BenchStack) -> Iterator[Executor]:
    """Serve the same flow with `flow.serve()`.

    Errors: SystemExit where its deployment does not come up.
    """
    with _running(stack, ("-m", "bench.runs_serve")) as pid:
        deadline = time.monotonic() + UP_WITHIN_S
        while find_deployment(stack.api, "triage/bench-serve") is None and time.monotonic() < deadline:
            time.sleep(0.5)
        yield Executor(STOCK_SERVE, pid, deployment_id(stack.api, "triage/bench-serve"))


@contextmanager
def _running(stack: BenchStack, words: tuple[str, ...]) -> Iterator[int]:
    folder = stack.folder
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    prefect = {"PREFECT_API_URL": stack.api, "PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(REPOSITORY)}
    files = {"RUNBOOK_CONFIG": str(stack.state.settings_file), "RUNBOOK_STATE_DIR": str(folder)}
    with (folder / "bench.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words], env={**kept, **prefect, **files}, cwd=folder, stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask, then kill: a stock worker may wait for a connection that stood still with it, and is measured."""
    left = family(process.pid)
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait(ENDS_WITHIN_S)
