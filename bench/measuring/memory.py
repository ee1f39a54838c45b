"""What each part of a stack holds in memory. Shared pages are counted once, in shares."""

from collections import defaultdict
from collections.abc import Iterable

import psutil

from bench.measuring.executors import Executor
from bench.measuring.figures import Alternative, Figure
from bench.measuring.machine import family
from bench.measuring.stack import BenchStack
from deployments.parts import WORKER

MB = 1e6


def memory_of_parts(stack: BenchStack, others: Iterable[Executor]) -> list[Figure]:
    """Give one row for each part; the worker with its fork server stands beside `others`."""
    held: dict[str, float] = defaultdict(float)
    for name, part in stack.record.parts.items():
        held[_group(name, stack)] += sum(map(_held_bytes, family(part.identity.pid)))
    for process in stack.database_family():
        held["database"] += _held_bytes(process)
    beside = tuple(Alternative(name=one.name, values=(sum(map(_held_bytes, family(one.pid))) / MB,)) for one in others)
    return [
        Figure(
            what=f"memory: {name}", unit="MB", values=(held[name] / MB,),
            alternatives=beside if name == WORKER else (),
        )
        for name in sorted(held)
    ]  # fmt: skip


def _group(name: str, stack: BenchStack) -> str:
    return "gateways" if f"{name}-admin" in stack.record.ports else name


def _held_bytes(process: psutil.Process) -> float:
    try:
        # Half of a forked process is its parent's: the resident size alone would count that twice.
        return float(getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss)
    except psutil.Error:
        return 0.0
