"""One thing that was measured, beside its alternative and under its budget. Pure: values in, values out."""

import math
import statistics
from enum import StrEnum
from typing import Any

from tasks.model.values import Value


class Bound(StrEnum):
    """Which side of a budget is good."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"


class Judged(StrEnum):
    """Which of the figures the budget is held against."""

    MEDIAN = "median"
    P95 = "p95"


class Budget(Value):
    """What may be spent, or has to be reached."""

    limit: float
    bound: Bound = Bound.AT_MOST
    judged: Judged = Judged.MEDIAN


class Alternative(Value):
    """What somebody without this project would have used, measured in the same run and unit."""

    name: str
    values: tuple[float, ...]


class Figure(Value):
    """One row of the table: `values` are the rounds, in the order they were taken.

    `more_is_better` turns the slow end and the ratio around, as for orders a second. `note` says what else counts.
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
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The slow end: 95 of 100 rounds are at least as good."""
        return slow_end(self.values, more_is_better=self.more_is_better)

    @property
    def met(self) -> bool | None:
        """Say whether the budget was met; None where there is none."""
        if self.budget is None:
            return None
        found = self.median if self.budget.judged is Judged.MEDIAN else self.p95
        return found <= self.budget.limit if self.budget.bound is Bound.AT_MOST else found >= self.budget.limit

    def ratio(self, other: Alternative) -> float | None:
        """Say how many times as good as an alternative the median is; None where nothing was spent."""
        ours, theirs = self.median, statistics.median(other.values)
        above, below = (ours, theirs) if self.more_is_better else (theirs, ours)
        return above / below if below else None

    def document(self) -> dict[str, Any]:
        """Give the row with all that follows from it, as it stands in the JSON."""
        others = [
            {**one.model_dump(mode="json"), "median": statistics.median(one.values), "ratio": self.ratio(one)}
            for one in self.alternatives
        ]
        found = {"median": self.median, "p95": self.p95, "met": self.met, "alternatives": others}
        return {**self.model_dump(mode="json"), **found}


def slow_end(values: tuple[float, ...], *, more_is_better: bool = False) -> float:
    """Find the value that 95 of 100 are at least as good as."""
    ordered = sorted(values, reverse=more_is_better)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]


def at_most(limit: float, judged: Judged = Judged.MEDIAN) -> Budget:
    """Make a budget of what may be spent."""
    return Budget(limit=limit, judged=judged)


def at_least(limit: float, judged: Judged = Judged.MEDIAN) -> Budget:
    """Make a budget of what has to be reached."""
    return Budget(limit=limit, bound=Bound.AT_LEAST, judged=judged)
