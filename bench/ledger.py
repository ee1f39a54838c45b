"""Measure one append to the incident ledger, at 10 kB and at 64 MB: lock, heal, write and fsync.

Beside it a bare append with its fsync to a file of the same size, in the same run.
"""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Bench, Figure, Run, row, took_s
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
LINE = RECORD.model_dump_json().encode() + b"\n"


def measure(run: Run) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        for name, size in SIZES.items():
            yield append_row(Path(folder), name, size, run.given.rounds)


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


BENCH = Bench("ledger", measure, options={"rounds": (200, 50)})
