"""Measure a run from its trigger to its end, and what a minute costs: our worker beside Prefect's own two.

Steps:
    1. the whole local stack, whose healthy service is triaged; its own schedule is paused
    2. beside it, on the same server, a stock process worker and a `flow.serve()`, each with Prefect's defaults; what
       each of them and the server spend at rest is seen while the others stand still
    3. in turn, one triage with each: trigger to *Completed*, CPU of the worker with all its processes, of the server,
       of the database
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.measuring.executors import Executor, served, server_family, stock_worker, warm
from bench.measuring.figures import Alternative, Figure, at_most
from bench.measuring.machine import cpu_s, family
from bench.measuring.memory import memory_of_parts
from bench.measuring.prefect_calls import run_to_end
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import BenchStack, Database, bench_stack

BUDGET_S = {Database.SQLITE: 1.2, Database.POSTGRESQL: 0.9}
BUDGET_CPU_S = 0.5
# What a run still does after its end is reported: its last logs and events, its process.
SETTLE_S = 3.0
IDLE_S, QUICK_IDLE_S = 15.0, 6.0
MINUTE_S = 60.0
Clock = Callable[[], float]


@dataclass
class Course:
    """What one executor did in its runs. Units: seconds; CPU by the part that spent it, and at rest in cores."""

    executor: Executor
    walls_s: list[float] = field(default_factory=list)
    spent_s: dict[str, list[float]] = field(default_factory=dict)
    idle_cores: dict[str, float] = field(default_factory=dict)

    def minutes_s(self, part: str) -> tuple[float, ...]:
        """Give what each run makes a minute cost: a minute at rest, and the run."""
        return tuple(one + MINUTE_S * self.idle_cores[part] for one in self.spent_s[part])


def main() -> int:
    """Measure, print, write; 3 when a budget was missed."""
    parser = bench_arguments("bench.runs", __doc__)
    parser.add_argument("--runs", type=int, help="runs of each")
    parser.add_argument("--ours-only", action="store_true", help="leave out what it is compared with")
    given = parser.parse_args()
    given.runs = given.runs or (3 if given.quick else 10)
    return run_bench("runs", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Trigger in turn, so that all meet the same minutes of the machine."""
    with bench_stack(given.database) as stack, ExitStack() as running:
        courses, rest_cores = started(stack, running, given)
        parts, memory = clocks(stack), memory_of_parts(stack, [one.executor for one in courses[1:]])
        busy = stack.elsewhere()
        for number in range(given.runs):
            # A run of the stock ones takes ten times as long: each second round is ours alone.
            for one in courses if not number % 2 else courses[:1]:
                one_run(stack.api, one, parts, rest_cores)
        other_cores = busy.cores()
    return Measured(
        (*figures(courses, given.database), *memory), other_cores, {"courses": [told(one) for one in courses]}
    )


def started(stack: BenchStack, running: ExitStack, given: argparse.Namespace) -> tuple[list[Course], dict[str, float]]:
    """Start one executor after the other, and see each at rest, the others stopped.

    Units: cores that the shared parts spend at rest once all are there.
    """
    parts, courses = clocks(stack), [Course(warm(stack))]
    idle_s = QUICK_IDLE_S if given.quick else IDLE_S
    # What the stock ones take has nothing to do with the database: a quick run sees it once.
    alone = given.ours_only or (given.quick and given.database is Database.POSTGRESQL)
    for make in (None, *(() if alone else (stock_worker, served))):
        if make is not None:
            courses.append(Course(running.enter_context(make(stack))))
        run_to_end(stack.api, courses[-1].executor.deployment)
        with stopped([one.executor for one in courses[:-1]]):
            time.sleep(SETTLE_S)
            courses[-1].idle_cores = at_rest({**parts, "worker": courses[-1].executor.cpu_s}, idle_s)
    return courses, courses[0].idle_cores if alone else at_rest(parts, idle_s)


@contextmanager
def stopped(executors: list[Executor]) -> Iterator[None]:
    """Let some executors stand still for the block: they poll the server of the one that is seen."""
    processes = [process for one in executors for process in family(one.pid)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def clocks(stack: BenchStack) -> dict[str, Clock]:
    """Give a reading of the CPU that each shared part has spent."""
    found: dict[str, Clock] = {"server": lambda: cpu_s(server_family(stack))}
    if stack.database is Database.POSTGRESQL:
        found["database"] = lambda: cpu_s(stack.database_family())
    return found


def at_rest(parts: dict[str, Clock], for_s: float) -> dict[str, float]:
    """Measure what each part spends while nothing runs. Units: cores."""
    before = {part: read() for part, read in parts.items()}
    time.sleep(for_s)
    return {part: (read() - before[part]) / for_s for part, read in parts.items()}


def one_run(api: str, course: Course, parts: dict[str, Clock], rest_cores: dict[str, float]) -> None:
    """Trigger one triage and see it complete; what the parts spend at rest is not the run's."""
    reads = {**parts, "worker": course.executor.cpu_s}
    before, began = {part: read() for part, read in reads.items()}, time.perf_counter()
    course.walls_s.append(run_to_end(api, course.executor.deployment)["took_s"])
    time.sleep(SETTLE_S)
    took_s = time.perf_counter() - began
    for part, read in reads.items():
        rest_s = took_s * rest_cores.get(part, course.idle_cores[part])
        course.spent_s.setdefault(part, []).append(max(0.0, read() - before[part] - rest_s))


def figures(courses: list[Course], database: Database) -> list[Figure]:
    """Lay the rows out: ours, with the others as alternatives."""
    ours, *others = courses

    def row(what: str, unit: str, values: Callable[[Course], tuple[float, ...]], **more: Any) -> Figure:
        beside = tuple(Alternative(name=one.executor.name, values=values(one)) for one in others)
        return Figure(what=what, unit=unit, values=values(ours), alternatives=beside, **more)

    found = [
        row(
            "manual trigger → triage finished", "s", lambda one: tuple(one.walls_s), budget=at_most(BUDGET_S[database])
        ),
        row(
            "CPU of a healthy run: worker",
            "CPU-s",
            lambda one: tuple(one.spent_s["worker"]),
            budget=at_most(BUDGET_CPU_S),
        ),
    ]
    found += [
        row(f"CPU of a healthy minute: {part}", "CPU-s", lambda one, part=part: one.minutes_s(part))
        for part in ours.spent_s
    ]
    return found


def told(one: Course) -> dict[str, Any]:
    """Keep what the figures were made from."""
    medians = {part: statistics.median(spent) for part, spent in one.spent_s.items()}
    return {"executor": one.executor.name, "cpu_of_a_run_s": medians, "idle_cores": one.idle_cores}


if __name__ == "__main__":
    sys.exit(main())
