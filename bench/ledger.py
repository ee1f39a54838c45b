"""Measure one append to the incident ledger, at 10 kB and at 64 MB: lock, heal, write and fsync.

Beside it a bare append with its fsync to a file of the same size, in the same run. And what a run, which is a process
of its own, spends on reading a ledger for the first time, by the incidents of a month in it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Bench, Figure, Run, row, took_s
from bench.report import REPOSITORY
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.ledger_file import LedgerPlace

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
EVENTS = (Event.OPENED, Event.DIAGNOSED, Event.ACTION_STARTED, Event.ACTION_FINISHED, Event.RECOVERED, Event.CLOSED)
INCIDENTS_COUNTS, READS_COUNT = (100, 1000, 10_000), 3
BETWEEN_INCIDENTS = timedelta(minutes=4)
# As in a run, nothing of what was there before is walked through for garbage.
READ = """
import gc, sys, time
from pathlib import Path
from tasks.clients.incidents.ledger import read_ledger
from tasks.model.incidents.ledger_file import LedgerPlace
gc.freeze()
before = time.process_time()
read_ledger(LedgerPlace(path=Path(sys.argv[1]), state_dir=Path(sys.argv[2])))
print(1000 * (time.process_time() - before))
"""
LINE = RECORD.model_dump_json().encode() + b"\n"


def measure(run: Run) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        for name, size in SIZES.items():
            yield append_row(Path(folder), name, size, run.given.rounds)
        for incidents_count in INCIDENTS_COUNTS:
            yield read_row(Path(folder), incidents_count)


def append_row(folder: Path, name: str, size_bytes: int, rounds_count: int) -> Figure:
    """Time the appends to a ledger that was read before, as every run does first."""
    place = LedgerPlace(path=folder / f"{size_bytes}.jsonl", state_dir=folder / "state")
    bare = folder / f"{size_bytes}.bare"
    for path in (place.path, bare):
        path.write_bytes(LINE * (size_bytes // len(LINE)))
    read_ledger(place)
    with bare.open("ab", buffering=0) as file:

        def write() -> None:
            os.write(file.fileno(), LINE)
            os.fsync(file.fileno())

        beside = [1000 * took_s(write) for _ in range(rounds_count)]
    took_ms = [1000 * took_s(lambda: append(place, [RECORD])) for _ in range(rounds_count)]
    return row(f"one append to a ledger of {name}", "ms", took_ms, {"a bare write with its fsync": beside})


def read_row(folder: Path, incidents_count: int) -> Figure:
    """Time the read of a new process of its own, after one that has folded the ledger."""
    place = LedgerPlace(path=folder / f"{incidents_count}.incidents", state_dir=folder / "state")
    with place.path.open("wb") as file:
        for number in range(incidents_count):
            of_one = {"incident_id": f"INC-{number}", "timestamp": RECORD.timestamp + number * BETWEEN_INCIDENTS}
            for event in EVENTS:
                file.write(RECORD.model_copy(update={**of_one, "event": event}).model_dump_json().encode() + b"\n")
    took_ms = [float(in_new_process(place)) for _ in range(1 + READS_COUNT)][1:]
    return row(f"a run's first read of a ledger of {incidents_count} incidents, CPU", "ms", took_ms)


def in_new_process(place: LedgerPlace) -> str:
    """Read a ledger in a process that has read none yet; gives the milliseconds of CPU that it took."""
    words = (sys.executable, "-c", READ, str(place.path), str(place.state_dir))
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout


BENCH = Bench("ledger", measure, options={"rounds": (200, 50)})
