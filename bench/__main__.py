"""Measure everything, one bench after the other, to the end; then say of every budget whether it was met.

Steps:
    1. each bench in a process of its own, those that touch Prefect on SQLite and on PostgreSQL
    2. one table of all budgets, from the JSON that this run wrote; 3 where one was missed, 1 where a bench broke
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import NamedTuple

from bench.measuring.interrupts import run_child, to_its_end
from bench.measuring.readme import write_readme
from bench.measuring.report import MET, MISSED
from bench.measuring.stack import REPOSITORY, Database
from bench.measuring.summary import Ended, summary_lines
from tests.fakes.postgres import missing

BROKE = 1


class Bench(NamedTuple):
    """One bench: its module, and the databases that it is run with; none where Prefect has no part in it."""

    name: str
    databases: tuple[Database | None, ...] = (None,)


BOTH = (Database.SQLITE, Database.POSTGRESQL)
BENCHES = (
    Bench("orders"),
    Bench("log_scan"),
    Bench("looks"),
    Bench("ledger"),
    Bench("runs", BOTH),
    Bench("events", BOTH),
    Bench("remedies", BOTH),
    Bench("clicks"),
    Bench("database", BOTH),
    Bench("growth", (Database.POSTGRESQL,)),
    Bench("faults", (Database.SQLITE,)),
)

# What a quick run leaves out.
WITHOUT_BUDGET = ("faults",)


def main() -> int:
    """Run what was asked for, and sum it up."""
    given = arguments()
    began_at = datetime.now(UTC)
    if given.summary:
        sys.stdout.write("\n".join(summary_lines(())) + "\n")
        if given.readme:
            write_readme(REPOSITORY / "README.md")
        return MET
    return to_its_end("the benches", lambda: measure(given, began_at))


def measure(given: argparse.Namespace, began_at: datetime) -> int:
    """Run one bench after the other; 3 where a budget was missed, 1 where a bench broke."""
    left_out = WITHOUT_BUDGET if given.quick and not given.only else ()
    ended = [run(name, place, given) for name, place in asked(given.only, given.database) if name not in left_out]
    sys.stdout.write("\n".join(summary_lines(ended, since=began_at)) + "\n")
    codes = {one.exit_code for one in ended}
    return BROKE if codes - {MET, MISSED} else max(codes, default=MET)


def asked(only: list[str], database: Database | None) -> list[tuple[str, Database | None]]:
    """List the benches of this run, each with its database."""
    chosen = [one for one in BENCHES if not only or one.name in only]
    pairs = [(one.name, place) for one in chosen for place in one.databases]
    return [
        (name, place)
        for name, place in pairs
        if (place is None or database in {None, place}) and find_spec(f"bench.{name}") is not None
    ]


def run(name: str, database: Database | None, given: argparse.Namespace) -> Ended:
    """Run one bench in a process of its own; one that breaks ends none of the others."""
    began = time.monotonic()
    if database is Database.POSTGRESQL and missing():
        return Ended(name, database, BROKE, 0.0, missing() or "")
    words = [*(("--database", database) if database else ()), *passed_on(given)]
    code = run_child([sys.executable, "-m", f"bench.{name}", *words], REPOSITORY)
    return Ended(name, database, code, time.monotonic() - began, "")


def passed_on(given: argparse.Namespace) -> list[str]:
    """Give the words that every bench takes."""
    return [word for word, wanted in (("--quick", given.quick), ("--busy", given.busy)) if wanted]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure everything that has a budget.")
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds, and only what has a budget, in a quarter of the time"
    )
    parser.add_argument("--busy", action="store_true", help="measure beside other work, too; the figures say so")
    parser.add_argument("--only", nargs="+", default=[], choices=[one.name for one in BENCHES], help="these alone")
    parser.add_argument("--database", type=Database, choices=list(Database), help="this one alone")
    parser.add_argument("--summary", action="store_true", help="measure nothing; sum up what was measured last")
    parser.add_argument("--readme", action="store_true", help="with --summary: write the table into the README")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
