"""Measure one append to the incident ledger, at 10 kB and at 64 MB: lock, heal, write and fsync.

Steps:
    1. write a ledger of that size, and read it once, as every run does first
    2. append one record, again and again, and take the wall time of each
    3. a bare append with its fsync to a file of the same size, for comparison, in the same run
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.measuring.figures import Alternative, Figure, at_most
from bench.measuring.machine import Elsewhere
from bench.measuring.report import Measured, bench_arguments, run_bench
from tasks.clients.incident_ledger import append, read_ledger
from tasks.model.incident import Event, LedgerRecord, Source
from tasks.model.ledger_file import LedgerPlace

BUDGET_MS = 5
ROUNDS_COUNT, QUICK_ROUNDS_COUNT = 200, 50
SIZES = {"10 kB": 10_000, "64 MB": 64 * 1_048_576}
RECORD = LedgerRecord(
    timestamp=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
    type="health_check_error",
    service="order-service",
    incident_id="INC-20261123T150000Z-service_hung-ab12",
    event=Event.OBSERVED,
    source=Source.TRIAGE,
    summary="health does not answer " * 10,
)


def main() -> int:
    """Measure, print, write; 3 when the budget was missed."""
    given = bench_arguments("bench.ledger", __doc__, databases=False).parse_args()
    return run_bench("ledger", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Append to a small ledger and to a large one."""
    rounds_count = QUICK_ROUNDS_COUNT if given.quick else ROUNDS_COUNT
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as directory:
        busy = Elsewhere()
        figures = tuple(figure(Path(directory), name, size, rounds_count) for name, size in SIZES.items())
        return Measured(figures, busy.cores(), {})


def figure(folder: Path, name: str, size_bytes: int, rounds_count: int) -> Figure:
    """Time the appends to a ledger of one size, beside bare ones."""
    place = LedgerPlace(path=folder / f"{size_bytes}.jsonl", state_dir=folder / "state")
    line = RECORD.model_dump_json().encode() + b"\n"
    bare = folder / f"{size_bytes}.bare"
    for path in (place.path, bare):
        path.write_bytes(line * (size_bytes // len(line)))
    read_ledger(place)
    with bare.open("ab", buffering=0) as file:
        beside = tuple(timed(lambda: written(file.fileno(), line)) for _ in range(rounds_count))
    return Figure(
        what=f"one append to a ledger of {name}",
        unit="ms",
        values=tuple(timed(lambda: append(place, [RECORD])) for _ in range(rounds_count)),
        budget=at_most(BUDGET_MS),
        alternatives=(Alternative(name="a bare write with its fsync", values=beside),),
    )


def written(descriptor: int, line: bytes) -> None:
    """Write one line and wait until it is on disk."""
    os.write(descriptor, line)
    os.fsync(descriptor)


def timed(step: Callable[[], object]) -> float:
    """Time one step. Units: milliseconds."""
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    sys.exit(main())
