"""Measure how a minute grows with the services of a host: one of the local stack, and scripted ones beside it.

Steps:
    1. the whole local stack on its schedule, and many patients in one small process, each on a port of its own
    2. for each number of services some real minutes: when the run began, when the last service was looked at, what
       worker, server and database spent, which rows and bytes it left
    3. at 100 services some of them fall ill at once: how long until each has a triage of its own, and until its end
    4. ever more services, until a minute is not met
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench.database_rows import bytes_used, count, with_database
from bench.growth_host import Host, host
from bench.growth_runs import Minute, minute_of, triages_of
from bench.measuring.executors import server_family, warm
from bench.measuring.figures import Figure, Judged, at_most
from bench.measuring.machine import cpu_s
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import BenchStack, bench_stack

MINUTE_S = 60.0
# A run is over before this second of its minute, else it is the minute that is not met.
READ_AT_S = 52.0
START_BUDGET_S = 5.0
BUDGET_COUNT = 100
COUNTS, MORE = (1, 10, 50, 100), (200, 400, 500, 600, 800)
ILL_COUNT = 10


class Spent(NamedTuple):
    """What was spent so far. Units: CPU seconds, rows, bytes."""

    worker_s: float
    server_s: float
    database_s: float
    patients_s: float
    rows: int
    size_bytes: int


def main() -> int:
    """Measure, print, write."""
    parser = bench_arguments("bench.growth", __doc__)
    parser.add_argument("--counts", nargs="+", type=int, help="these numbers of services alone, and no search for more")
    parser.add_argument("--minutes", type=int, default=2, help="minutes measured from 50 services on")
    given = parser.parse_args()
    return run_bench("growth", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Let the host grow."""
    counts = tuple(given.counts or ((1, BUDGET_COUNT) if given.quick else COUNTS))
    more = () if given.counts or given.quick else MORE
    with bench_stack(given.database, scheduled=True) as stack, host(stack, max((*counts, *more))) as patients:
        busy = stack.elsewhere()
        minutes = [one for n in counts for one in some_minutes(stack, patients, n, 1 if n < 50 else given.minutes)]
        ill = fall_ill(stack, patients, max(counts)) if max(counts) > ILL_COUNT else {}
        minutes += searched(stack, patients, more)
        rows = [row for n in dict.fromkeys(one.services_count for one in minutes) for row in rows_of(minutes, n)]
        details = {"minutes": [one.document() for one in minutes], "ill": ill, "limit": limit_of(minutes)}
        return Measured((*rows, *ill_rows(ill), limit_row(details["limit"])), busy.cores(), details)


def some_minutes(stack: BenchStack, patients: Host, services_count: int, minutes_count: int) -> list[Minute]:
    """Let some minutes pass with a number of services."""
    patients.watch(services_count)
    return [one_minute(stack, patients) for _ in range(minutes_count)]


def one_minute(stack: BenchStack, patients: Host) -> Minute:
    """Let one whole minute pass, and say what it came to."""
    time.sleep(max(0.0, READ_AT_S + 2 - time.time() % MINUTE_S))
    before, begins_at = spent(stack, patients), (time.time() // MINUTE_S + 1) * MINUTE_S
    time.sleep(begins_at + READ_AT_S - time.time())
    after = spent(stack, patients)
    spending = dict(zip(Spent._fields, (b - a for a, b in zip(before, after, strict=True)), strict=True))
    minute = minute_of(stack, patients.names, datetime.fromtimestamp(begins_at, UTC), spending)
    sys.stderr.write(f"{minute.words}\n")
    return minute


def spent(stack: BenchStack, patients: Host) -> Spent:
    """Read all meters."""
    url = stack.database_url or f"sqlite+aiosqlite:///{(stack.state.prefect_home / 'prefect.db').as_posix()}"
    rows = sum(with_database(url, count).values())
    size = with_database(url, lambda connection: bytes_used(connection, stack.database))
    server_s, database_s = cpu_s(server_family(stack)), cpu_s(stack.database_family())
    return Spent(warm(stack).cpu_s(), server_s, database_s, cpu_s(patients.family()), rows, size)


def fall_ill(stack: BenchStack, patients: Host, services_count: int) -> dict[str, Any]:
    """Let some patients fall ill at once, and follow them for a minute."""
    patients.watch(services_count)
    patients.fall_ill(ILL_COUNT)
    minute = one_minute(stack, patients)
    found = triages_of(stack, minute.begins_at)
    patients.fall_ill(0)
    return {"services_count": services_count, "ill_count": ILL_COUNT, "minute": minute.document(), "triages": found}


def searched(stack: BenchStack, patients: Host, more: tuple[int, ...]) -> list[Minute]:
    """Watch ever more services, until a minute is not met."""
    found: list[Minute] = []
    for services_count in more:
        # Those that were ill are triaged once more until their incidents are closed; that is not to be counted here.
        patients.watch(services_count)
        one_minute(stack, patients)
        found.append(one_minute(stack, patients))
        if not found[-1].met:
            break
    return found


def limit_of(minutes: list[Minute]) -> dict[str, Any]:
    """Say how many services were met within their minute, and how many were not."""
    met = [one.services_count for one in minutes if one.met]
    missed = [one.services_count for one in minutes if not one.met]
    return {"met": max(met, default=0), "not_met": min(missed, default=None)}


def limit_row(limit: dict[str, Any]) -> Figure:
    """Give the row of the most services whose minute was met."""
    note = f"not with {limit['not_met']}" if limit["not_met"] else "more were not tried"
    most = (float(limit["met"]),)
    return Figure(
        what="most services whose minute was met", unit="services", values=most, more_is_better=True, note=note
    )


def rows_of(minutes: list[Minute], services_count: int) -> list[Figure]:
    """Give the rows of one number of services."""
    these = [one for one in minutes if one.services_count == services_count]
    budgeted = services_count == BUDGET_COUNT
    delays = tuple(delay for one in these for delay in one.look_delays_s) or (MINUTE_S,)
    unmet = tuple(float(services_count - len(one.look_delays_s)) for one in these)
    what = f"{services_count} services"
    return [
        Figure(what=f"{what}: not looked at in their minute", unit="services", values=unmet,
               budget=at_most(0) if budgeted else None),
        Figure(what=f"{what}: from the minute to the start of its run", unit="s",
               values=tuple(one.start_delay_s for one in these),
               budget=at_most(START_BUDGET_S, Judged.P95) if budgeted else None),
        Figure(what=f"{what}: from the minute to the look at a service", unit="s", values=delays),
        Figure(what=f"{what}: from the minute to the end of its run", unit="s",
               values=tuple(one.run_ends_s for one in these)),
        *(Figure(what=f"{what}: {words}", unit=unit, values=tuple(one.spent[name] for one in these))
          for name, words, unit in SPENDING),
    ]  # fmt: skip


SPENDING = (
    ("worker_s", "CPU of the worker a minute", "CPU-s"),
    ("server_s", "CPU of Prefect's server a minute", "CPU-s"),
    ("database_s", "CPU of the database a minute", "CPU-s"),
    ("rows", "rows a minute", "rows"),
    ("size_bytes", "bytes a minute", "bytes"),
)


def ill_rows(ill: dict[str, Any]) -> list[Figure]:
    """Give the rows of those that fell ill."""
    found = ill.get("triages", {})
    if not found:
        return []
    what = f"{ill['ill_count']} of {ill['services_count']} fall ill at once"
    return [
        Figure(what=f"{what}: from the minute to a triage's start", unit="s", values=tuple(found["starts_s"])),
        Figure(what=f"{what}: from the minute to a triage's end", unit="s", values=tuple(found["ends_s"])),
    ]


if __name__ == "__main__":
    sys.exit(main())
