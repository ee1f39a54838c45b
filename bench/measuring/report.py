"""The end of every bench: one table for a person, one JSON for the summary, one exit code for a machine."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.measuring.figures import Figure
from bench.measuring.interrupts import to_its_end
from bench.measuring.machine import Machine, machine_at_rest
from bench.measuring.stack import Database
from bench.measuring.table import table_lines

RESULTS = Path(__file__).parents[1] / "results"
MET, MISSED = 0, 3


class Measured(NamedTuple):
    """What a bench has found: its rows, the cores that other work used (where they can be told), and the details."""

    figures: tuple[Figure, ...]
    other_cores: float | None
    details: dict[str, Any]


def bench_arguments(module: str, about: str | None, *, databases: bool = True) -> argparse.ArgumentParser:
    """Make the arguments that every bench takes."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=(about or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds; the same figures, each less certain")
    parser.add_argument("--busy", action="store_true", help="measure beside other work, too; the figures say so")
    if databases:
        choices = [one.value for one in Database]
        parser.add_argument("--database", type=Database, choices=choices, default=Database.SQLITE)
    return parser


def run_bench(name: str, given: argparse.Namespace, measure: Callable[[argparse.Namespace], Measured]) -> int:
    """Measure on a machine at rest, print the table, write the JSON; 3 where a budget was missed, 130 where stopped.

    Errors: SystemExit where the machine is busy, or what was measured went wrong.
    """
    return to_its_end(title(name, getattr(given, "database", None)), lambda: _run(name, given, measure))


def _run(name: str, given: argparse.Namespace, measure: Callable[[argparse.Namespace], Measured]) -> int:
    machine = machine_at_rest(also_busy=given.busy)
    measured = measure(given)
    if measured.other_cores is not None:
        machine = machine.model_copy(update={"other_cores_during": round(measured.other_cores, 2)})
    database = getattr(given, "database", None)
    sys.stdout.write("\n".join(table_lines(title(name, database), machine, measured.figures)) + "\n")
    _write(name, database, document(machine, measured, quick=given.quick))
    return MISSED if any(one.met is False for one in measured.figures) else MET


def document(machine: Machine, measured: Measured, *, quick: bool) -> dict[str, Any]:
    """Lay out the JSON of one bench."""
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "quick": quick,
        "machine": {**machine.model_dump(mode="json"), "was_quiet": machine.was_quiet},
        "figures": [one.document() for one in measured.figures],
        "details": measured.details,
    }


def title(name: str, database: Database | None) -> str:
    """Name a bench as a person reads it."""
    return f"{name} on {database}" if database else name


def result_path(name: str, database: Database | None) -> Path:
    """Name the file of one bench's JSON."""
    return RESULTS / (f"{name}-{database}.json" if database else f"{name}.json")


def results(folder: Path = RESULTS) -> Iterable[tuple[str, dict[str, Any]]]:
    """Read all that was measured, each with its name."""
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        if isinstance(found, dict) and "figures" in found:
            yield path.stem, found


def _write(name: str, database: Database | None, found: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    found = {"bench": name, "database": database, **found}
    result_path(name, database).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
