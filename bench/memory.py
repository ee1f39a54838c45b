"""Measure what each part of the stack holds in memory, and how it grows over minutes.

Steps:
    1. the whole local stack, a triage every minute as it comes; quick: the same triages, one right after the other
    2. after each minute what each part holds; the minutes of the first half warm it up
    3. the slope of each part by least squares over the second half, as if sixty minutes made an hour
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from bench.figures import Bench, Database, Figure, Run, row
from bench.machine import MEASURED_AS
from bench.stack import BenchStack, bench_stack

# A minute's triage is over by then, and what it started has ended.
READ_AT_S, SETTLE_S = 30.0, 3.0
READINGS_COUNT, READ_EVERY_S = 4, 2.0
MINUTE_S, MINUTES_OF_AN_HOUR = 60.0, 60
WHOLE = "the whole stack"


def measure(run: Run) -> Iterator[Figure]:
    """Let minutes pass, and read after each."""
    held: dict[str, list[float]] = defaultdict(list)
    with bench_stack(run, scheduled=not run.given.at_once) as stack:
        for minute in islice(minutes(stack, at_once=run.given.at_once), run.given.minutes):
            found = at_rest(stack)
            for part, part_mb in {**found, WHOLE: sum(found.values())}.items():
                held[part].append(part_mb)
            sys.stderr.write(f"minute {minute}: {held[WHOLE][-1]:.0f} MB\n")
    run.details |= {"measured_as": MEASURED_AS, "held_mb": held}
    for part in (WHOLE, *sorted(held.keys() - {WHOLE})):
        later = held[part][len(held[part]) // 2 :]
        yield row(f"held: {part}", "MB", later, note=MEASURED_AS)
        yield row(f"growth: {part}", "MB/h", [slope_an_hour(later)])


def at_rest(stack: BenchStack) -> dict[str, float]:
    """Read a few times, and give the least: a run that is under way is no part of the stack."""
    readings = []
    for _ in range(READINGS_COUNT):
        readings.append(stack.memory_mb())
        time.sleep(READ_EVERY_S)
    return min(readings, key=lambda held: sum(held.values()))


def minutes(stack: BenchStack, *, at_once: bool) -> Iterator[int]:
    """Count minutes, each after its triage is over."""
    triage, minute = stack.deployment_id("triage/do-triage"), 0
    while True:
        minute += 1
        if at_once:
            stack.run_to_end(triage)
            time.sleep(SETTLE_S)
        else:
            time.sleep((READ_AT_S - time.time()) % MINUTE_S)
        yield minute


def slope_an_hour(values: list[float]) -> float:
    """Fit a line through one value a minute. Units: of the values, an hour."""
    if len(values) < 2:
        raise SystemExit("TOO_FEW_MINUTES: expected at least 4 minutes for a slope; give --minutes")
    return MINUTES_OF_AN_HOUR * statistics.linear_regression(range(len(values)), values).slope


OPTIONS = {"minutes": (60, 20), "at_once": (False, True)}
BENCH = Bench("memory", measure, (Database.SQLITE,), OPTIONS)
