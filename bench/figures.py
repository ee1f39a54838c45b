"""The one shape of a bench, and of a row of its table: what was measured, beside its alternative, under its budget."""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from bench.machine import Elsewhere

Beside = Mapping[str, Iterable[float]]


class Database(StrEnum):
    """Where Prefect's server keeps its state."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Budget(BaseModel, frozen=True):
    """What may be spent, or has to be reached where more is better; held against the median, or the slow end."""

    limit: float
    of_p95: bool = False


class Alternative(BaseModel, frozen=True):
    """What somebody without this project would have used, measured in the same run and unit."""

    name: str
    values: tuple[float, ...]


class Figure(BaseModel, frozen=True):
    """One row: `values` are the rounds, in the order they were taken.

    `more_is_better` turns the slow end, the budget and the speed-up around, as for orders a second. `note` says what
    else counts.
    """

    what: str
    unit: str
    values: tuple[float, ...]
    more_is_better: bool = False
    budget: Budget | None = None
    alternatives: tuple[Alternative, ...] = ()
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The slow end: 95 of 100 rounds are at least as good."""
        ordered = sorted(self.values, reverse=self.more_is_better)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]

    @property
    def met(self) -> bool | None:
        """Say whether the budget was met; None where there is none."""
        if self.budget is None:
            return None
        found = self.p95 if self.budget.of_p95 else self.median
        return found >= self.budget.limit if self.more_is_better else found <= self.budget.limit

    def speed_up(self, other: Alternative) -> float | None:
        """Divide the medians so that more than 1 says that ours is better; None where nothing was spent."""
        ours, theirs = self.median, statistics.median(other.values)
        above, below = (ours, theirs) if self.more_is_better else (theirs, ours)
        return above / below if below else None

    def document(self) -> dict[str, Any]:
        """Give the row with all that follows from it, as it stands in the JSON."""
        others = {one.name: self.speed_up(one) for one in self.alternatives}
        found = {"median": self.median, "p95": self.p95, "met": self.met, "speed_ups": others}
        return {**self.model_dump(mode="json"), **found}


def row(what: str, unit: str, values: Iterable[float], beside: Beside | None = None, **more: Any) -> Figure:
    others = tuple(Alternative(name=name, values=tuple(found)) for name, found in (beside or {}).items())
    return Figure(what=what, unit=unit, values=tuple(values), alternatives=others, **more)


@dataclass
class Run:
    """One run of a bench: what was asked for, and what it leaves beside its rows."""

    given: argparse.Namespace
    details: dict[str, Any] = field(default_factory=dict)
    other_cores: float | None = None

    @property
    def quick(self) -> bool:
        return bool(self.given.quick)

    @property
    def database(self) -> Database:
        return Database(self.given.database)

    @contextmanager
    def watching(self, mark: str | None = None, database_pid: int | None = None) -> Iterator[None]:
        """Measure for the block what the machine does for others than this bench, its stack and its database."""
        elsewhere = Elsewhere(mark, database_pid)
        yield
        self.other_cores = max(self.other_cores or 0.0, elsewhere.cores())


@dataclass(frozen=True)
class Bench:
    """One bench: it yields its rows; `bench.budgets` says what they may cost.

    `databases` are those that a run of everything takes; none where Prefect has no part in it. `options` are words of
    its own on the command line, each with its value, and its value in a quick run.
    """

    name: str
    measure: Callable[[Run], Iterable[Figure]]
    databases: tuple[Database, ...] = ()
    options: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def took_s(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Give the seconds that some work takes, by a clock."""
    began = clock()
    work()
    return clock() - began
