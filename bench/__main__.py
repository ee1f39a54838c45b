"""Measure one bench (`python -m bench NAME`), or all of them to the end, and say of every budget whether it was met.

Exit code: 0 all budgets met, 3 one was missed, 1 a bench broke, 130 a person stopped it.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from bench.budgets import BUDGETS
from bench.figures import Bench, Database, Run
from bench.machine import machine_at_rest, run_child, to_its_end
from bench.report import MET, MISSED, REPOSITORY, Ended, document_of, shown, summary, title_of, write_page, write_result
from tests.fakes.stack.postgres import missing

BROKE = 1
NAMES = tuple(BUDGETS)
# What a quick run of everything leaves out.
SLOW = ("faults",)


def main() -> int:
    name, *words = sys.argv[1:] or [""]
    if name in NAMES:
        return one_bench(load(name), words)
    given = parser_of_all().parse_args()
    if not given.summary:
        return to_its_end("the benches", lambda: all_benches(given))
    sys.stdout.write(summary(()))
    if given.page:
        write_page(REPOSITORY / given.page)
    return MET


def load(name: str) -> Bench:
    """Import one bench alone: one that does not import breaks none of the others."""
    found: Bench = import_module(f"bench.{name}").BENCH
    return found


def one_bench(bench: Bench, words: list[str]) -> int:
    given = parser_of(bench).parse_args(words)
    for name, values in bench.options.items():
        if getattr(given, name) is None:
            setattr(given, name, values[given.quick])
    return to_its_end(title_of(bench.name, given.database), lambda: measure(bench, Run(given)))


def measure(bench: Bench, run: Run) -> int:
    """Measure on a machine at rest, give every row its budget, print the table, write the JSON.

    Errors: SystemExit where the machine is busy, or what was measured went wrong. A budget whose row was not measured
    is named.
    """
    machine, budgets = machine_at_rest(also_busy=run.given.busy), BUDGETS[bench.name]
    if bench.databases:
        figures = list(bench.measure(run))
    else:
        with run.watching():
            figures = list(bench.measure(run))
    figures = [one.model_copy(update={"budget": budgets.get(one.what)}) for one in figures]
    if run.other_cores is not None:
        machine = machine.model_copy(update={"other_cores_during": round(run.other_cores, 2)})
    title = title_of(bench.name, run.given.database)
    sys.stdout.write(shown(title, machine, figures, budgets.keys() - {one.what for one in figures}))
    write_result(bench.name, run.given.database, document_of(machine, figures, run.details, quick=run.quick))
    return MISSED if any(one.met is False for one in figures) else MET


def all_benches(given: argparse.Namespace) -> int:
    """Run one bench after the other, each in a process of its own: one that breaks ends none of the others."""
    began_at = datetime.now(UTC)
    ended = [in_own_process(name, database, given) for name, database in asked(given)]
    sys.stdout.write(summary(ended, since=began_at))
    codes = {one.exit_code for one in ended}
    return BROKE if codes - {MET, MISSED} else max(codes, default=MET)


def asked(given: argparse.Namespace) -> Iterator[tuple[str, Database | None]]:
    """List the benches of this run, each with its database."""
    for name in given.only or [one for one in NAMES if not (given.quick and one in SLOW)]:
        for database in load(name).databases or (None,):
            if given.database is None or database in {None, given.database}:
                yield name, database


def in_own_process(name: str, database: Database | None, given: argparse.Namespace) -> Ended:
    reason = missing() if database is Database.POSTGRESQL else None
    if reason:
        return Ended(title_of(name, database), BROKE, 0.0, reason)
    words = [name, *(("--database", database) if database else ())]
    words += [f"--{word}" for word in ("quick", "busy") if getattr(given, word)]
    began = time.monotonic()
    code = run_child([sys.executable, "-m", "bench", *words], REPOSITORY)
    return Ended(title_of(name, database), code, time.monotonic() - began)


def parser_of_all() -> argparse.ArgumentParser:
    parser = common_parser("python -m bench", f"{(__doc__ or '').splitlines()[0]} NAME: {', '.join(NAMES)}.")
    parser.add_argument("--only", nargs="+", default=[], choices=NAMES, help="these alone")
    parser.add_argument("--database", type=Database, choices=list(Database), help="this one alone")
    parser.add_argument("--summary", action="store_true", help="measure nothing; sum up what was measured last")
    parser.add_argument("--page", help="with --summary: write the tables between the marks of this page")
    return parser


def parser_of(bench: Bench) -> argparse.ArgumentParser:
    about = import_module(bench.measure.__module__).__doc__ or ""
    parser = common_parser(f"python -m bench {bench.name}", about.partition("\n")[0])
    parser.set_defaults(database=None)
    if bench.databases:
        parser.add_argument("--database", type=Database, choices=list(Database), default=bench.databases[0])
    for name, (value, quick) in bench.options.items():
        kind: dict[str, Any] = {"type": type(value)}
        if isinstance(value, bool):
            kind = {"action": "store_true", "default": None}
        elif isinstance(value, tuple):
            kind = {"type": type(value[0]), "nargs": "+"}
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"default {value}, quick {quick}", **kind)
    return parser


def common_parser(program: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=about)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: the same figures, each less certain")
    parser.add_argument("--busy", action="store_true", help="measure beside other work, too; the figures say so")
    return parser


if __name__ == "__main__":
    sys.exit(main())
