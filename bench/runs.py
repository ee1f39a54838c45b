"""Measure a run from its trigger to its end, and what a minute costs: our worker beside Prefect's own two.

Steps:
    1. the whole local stack, whose healthy service is triaged; its own schedule is paused
    2. beside it, on the same server, a stock process worker and a `flow.serve()`, each with Prefect's defaults; what
       each of them and the server spend at rest is measured while the others stand still
    3. with each, some triages: trigger to *Completed*, CPU of the worker with all its processes, of the server, of the
       database
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.figures import Bench, Database, Figure, Run, row
from bench.machine import cpu_s, family, held_mb
from bench.stack import BenchStack, bench_stack, process_on, wait_for
from deployments.stack.parts import WORKER

# What a run still does after its end is reported: its last logs and events, its process.
SETTLE_S, MINUTE_S = 3.0, 60.0
UP_WITHIN_S = 60.0
SERVE = """
import asyncio
from prefect import aserve
from prefect.deployments.runner import EntrypointType
from flows.triage import triage

async def main():
    await aserve(await triage.ato_deployment("bench-serve", entrypoint_type=EntrypointType.MODULE_PATH))

asyncio.run(main())
"""


@dataclass
class Executor:
    """One way to run a deployment, and what it spent. Units: seconds; CPU of a run by part, and at rest in cores."""

    name: str
    pid: int
    deployment: str
    walls_s: list[float] = field(default_factory=list)
    spent_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    idle_cores: dict[str, float] = field(default_factory=dict)

    def clocks(self, stack: BenchStack) -> dict[str, Callable[[], float]]:
        """Give a reading of the CPU that each part has spent; the worker with all that it has started."""
        found = {"worker": lambda: cpu_s(family(self.pid)), "server": lambda: cpu_s(stack.server_family())}
        return {**found, "database": lambda: cpu_s(stack.database_family())} if stack.server.url else found

    def minutes_s(self, part: str) -> list[float]:
        """Give what each run makes a minute cost: a minute at rest, and the run."""
        return [one + MINUTE_S * self.idle_cores[part] for one in self.spent_s[part]]


def measure(run: Run) -> Iterator[Figure]:
    """Measure one executor after the other, each while those before it stand still: they poll the same server."""
    # What the stock ones take has nothing to do with the database: a quick run measures it once.
    alone = run.given.ours_only or (run.quick and run.database is Database.POSTGRESQL)
    executors: list[Executor] = []
    with bench_stack(run) as stack, ExitStack() as running:
        for make in (warm_worker, *(() if alone else (stock_worker, served))):
            one = running.enter_context(make(stack))
            with stopped(executors):
                # A run of the stock ones takes ten times as long: half as many of them.
                one_executor(stack, one, (run.given.runs + 1) // 2 if executors else run.given.runs, run.given.idle_s)
            executors.append(one)
        run.details["executors"] = [
            {"executor": one.name, "cpu_of_a_run_s": one.spent_s, "idle_cores": one.idle_cores} for one in executors
        ]
        yield from rows_of(executors)
        yield from memory_rows(stack, executors[1:])


def one_executor(stack: BenchStack, one: Executor, runs_count: int, idle_s: float) -> None:
    """Measure at rest, then some runs, after one that is not counted; what is spent at rest is not a run's."""
    clocks = one.clocks(stack)

    def spent(work: Callable[[], Any]) -> tuple[float, dict[str, float]]:
        before, began = {part: read() for part, read in clocks.items()}, time.perf_counter()
        work()
        return time.perf_counter() - began, {part: read() - before[part] for part, read in clocks.items()}

    def one_run() -> None:
        one.walls_s.append(stack.run_to_end(one.deployment)["took_s"])
        time.sleep(SETTLE_S)

    one_run()
    one.walls_s.clear()
    took_s, at_rest_s = spent(lambda: time.sleep(idle_s))
    one.idle_cores = {part: rest_s / took_s for part, rest_s in at_rest_s.items()}
    for _ in range(runs_count):
        took_s, in_run_s = spent(one_run)
        for part, spent_s in in_run_s.items():
            one.spent_s[part].append(max(0.0, spent_s - took_s * one.idle_cores[part]))


@contextmanager
def warm_worker(stack: BenchStack) -> Iterator[Executor]:
    yield Executor("warm worker", stack.worker_pid(), stack.deployment_id("triage/do-triage"))


@contextmanager
def stock_worker(stack: BenchStack) -> Iterator[Executor]:
    """Run Prefect's process worker on a pool of its own, with a deployment of the same flow."""
    stack.call("POST", "/work_pools/", {"name": "bench", "type": "process"})
    flow_id = stack.call("POST", "/flows/", {"name": "triage"})["id"]
    body = {"name": "bench-process", "flow_id": flow_id, "entrypoint": "flows.triage.triage", "work_pool_name": "bench"}
    made = stack.call("POST", "/deployments/", {**body, "parameter_openapi_schema": {}})
    words = ("-m", "prefect", "worker", "start", "--pool", "bench", "--type", "process")
    with process_on(stack, *words, **stack.client_variables) as pid:
        yield Executor("stock process worker", pid, made["id"])


@contextmanager
def served(stack: BenchStack) -> Iterator[Executor]:
    """Serve the same flow as a person would with stock Prefect: `flow.serve()` with its defaults."""

    def deployment() -> str | None:
        with suppress(httpx.HTTPStatusError):
            return stack.deployment_id("triage/bench-serve")
        return None

    with process_on(stack, "-c", SERVE, **stack.client_variables) as pid:
        yield Executor("stock serve()", pid, wait_for(deployment, UP_WITHIN_S, "NO_DEPLOYMENT: see bench.log"))


@contextmanager
def stopped(executors: list[Executor]) -> Iterator[None]:
    """Let some executors stand still for the block: they poll the server of the one that is measured."""
    processes = [process for one in executors for process in family(one.pid)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def rows_of(executors: list[Executor]) -> Iterator[Figure]:
    """Lay the rows out: ours, with the others as alternatives."""
    ours, *others = executors

    yield row("manual trigger → triage finished", "s", ours.walls_s, {one.name: one.walls_s for one in others})
    spent = {one.name: one.spent_s["worker"] for one in others}
    yield row("CPU of a healthy run: worker", "CPU-s", ours.spent_s["worker"], spent)
    for part in ours.spent_s:
        spent = {one.name: one.minutes_s(part) for one in others}
        yield row(f"CPU of a healthy minute: {part}", "CPU-s", ours.minutes_s(part), spent)


def memory_rows(stack: BenchStack, others: list[Executor]) -> Iterator[Figure]:
    """Give one row for each part; the worker with its fork server stands beside the others."""
    beside = {one.name: [held_mb(one.pid)] for one in others}
    for name, part_mb in sorted(stack.memory_mb().items()):
        yield row(f"memory: {name}", "MB", [part_mb], beside if name == WORKER else {})


OPTIONS = {"runs": (10, 3), "idle_s": (15.0, 6.0), "ours_only": (False, False)}
BENCH = Bench("runs", measure, tuple(Database), OPTIONS)
