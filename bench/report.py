"""The one table of all benches, their JSON under `bench/results`, and the summary and the page made from it."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Alternative, Database, Figure
from bench.machine import Machine

REPOSITORY = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
HEAD = ("what", "median", "p95", "alternative", "its median", "speed-up", "budget", "met")
RIGHT = {"median", "p95", "its median", "speed-up"}
MET, MISSED = 0, 3
# Wide enough for the longest row, where no terminal says how wide it is.
FILE_WIDTH = 220
# The costs that a page shows beside the budgets.
COSTS = ("CPU of a healthy minute", "rows of", "bytes of", "memory", "held", "growth")
STEPS = ("found", "acted on", "proven")
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"
Row = tuple[str, ...]
Found = Sequence[tuple[str, dict[str, Any]]]


class Ended(NamedTuple):
    """How one bench ended. Units: seconds."""

    title: str
    exit_code: int
    took_s: float
    reason: str = ""


def rows(figure: Figure) -> list[Row]:
    """Give the rows of one figure: one for itself with its first alternative, then further ones, then its note."""
    first, *others = figure.alternatives or (None,)
    rounds, p95 = (f" ({len(figure.values)})", figure.p95) if len(figure.values) > 1 else ("", None)
    own = (figure.what + rounds, amount(figure.median, figure.unit), amount(p95, figure.unit))
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    found = [(*own, *_beside(figure, first), budget_text(figure), met)]
    found += [("", "", "", *_beside(figure, one), "", "") for one in others]
    return [*found, *([(f"  {figure.note}", *[""] * (len(HEAD) - 1))] if figure.note else [])]


def _beside(figure: Figure, other: Alternative | None) -> Row:
    if other is None:
        return ("", "", "")
    return (other.name, amount(median(other.values), figure.unit), amount(figure.speed_up(other), ""))


def amount(value: float | None, unit: str) -> str:
    """Write a value with its unit, in as many digits as can be believed."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 20 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def budget_text(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    sign, slow = "≥" if figure.more_is_better else "≤", " p95" if figure.budget.of_p95 else ""
    return f"{sign} {figure.budget.limit:g} {figure.unit}{slow}"


def shown(title: str, machine: Machine, figures: Iterable[Figure], not_measured: Iterable[str] = ()) -> str:
    """Draw the table of one bench, and warn where the machine worked for others."""
    during = "" if machine.other_cores_during is None else f", {machine.other_cores_during:.1f} during"
    about = f"{machine.cores} cores, Python {machine.python}, Prefect {machine.versions['prefect']}; other work "
    about += f"{machine.other_cores_before:.1f} cores before{during}"
    warning = "" if machine.was_quiet else "; BUSY: these figures are false, for development only"
    left_out = [f"NOT MEASURED in this run: {what}" for what in sorted(not_measured)]
    return drawn((row for one in figures for row in rows(one)), title, about + warning, *left_out)


def drawn(table_rows: Iterable[Row], *lines: str) -> str:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for name in HEAD:
        table.add_column(name, justify="right" if name in RIGHT else "left", overflow="fold")
    for row in table_rows:
        table.add_row(*row, style="dim" if row[0].startswith("  ") else "bold red" if row[-1] == "NO" else "")
    terminal = sys.stdout.isatty()
    console = Console(file=io.StringIO(), force_terminal=terminal, width=None if terminal else FILE_WIDTH)
    with console.capture() as captured:
        console.print(*("", *lines), sep="\n", markup=False, highlight=False, soft_wrap=True)
        console.print(table, highlight=False)
    return captured.get()


def title_of(name: str, database: Database | None) -> str:
    return f"{name} on {database}" if database else name


def write_result(name: str, database: Database | None, document: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / (f"{name}-{database}.json" if database else f"{name}.json")
    found = {"bench": name, "database": database, **document}
    path.write_text(json.dumps(found, indent=1, default=str) + "\n", "utf-8")


def document_of(machine: Machine, figures: Iterable[Figure], details: dict[str, Any], *, quick: bool) -> dict[str, Any]:
    """Lay out the JSON of one bench."""
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "quick": quick,
        "machine": {**machine.model_dump(mode="json"), "was_quiet": machine.was_quiet},
        "figures": [one.document() for one in figures],
        "details": details,
    }


def results(folder: Path = RESULTS) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read all that was measured, each with its name."""
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        if isinstance(found, dict) and "figures" in found:
            yield path.stem, found


def summary(ended: Sequence[Ended], since: datetime | None = None) -> str:
    """Lay out every budget, met or missed, then what broke, and how long each bench took."""
    found = [(name, one) for name, one in results() if since is None or measured_at(one) >= since]
    busy = ", ".join(name for name, one in found if not one["machine"]["was_quiet"])
    lines = [f"measured on a BUSY machine, so false: {busy}"] if busy else []
    broken = [one for one in ended if one.exit_code not in {MET, MISSED}]
    lines += [f"BROKE: {one.title}: {one.reason or f'exit {one.exit_code}'}" for one in broken]
    if ended:
        parts = ", ".join(f"{one.title} {one.took_s / 60:.1f}" for one in ended)
        lines.append(f"took {sum(one.took_s for one in ended) / 60:.1f} minutes: {parts}")
    table_rows = ((f"{name}: {row[0]}", *row[1:]) for name, row in budget_rows(found))
    return drawn(table_rows, f"all budgets, {span(found)}") + "".join(f"{line}\n" for line in lines)


def budget_rows(found: Found) -> Iterator[tuple[str, Row]]:
    """Give the rows that have a budget, each with the name of its bench."""
    for name, one in found:
        for figure in one["figures"]:
            if figure.get("budget"):
                yield name, rows(Figure.model_validate(figure))[0]


def span(found: Found) -> str:
    """Say when all of it was measured."""
    if not found:
        return "nothing measured yet"
    times = sorted(measured_at(one) for _, one in found)
    quick = " (quick: few rounds)" if any(one.get("quick") for _, one in found) else ""
    return f"measured {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC{quick}"


def measured_at(found: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(found["measured_at"]).astimezone(UTC)


def write_page(path: Path, folder: Path = RESULTS) -> None:
    """Put the tables between the marks of a page."""
    text, found = path.read_text("utf-8"), list(results(folder))
    parts = (
        markdown(("bench", *HEAD), ((name, *row) for name, row in budget_rows(found))),
        markdown(("bench", "cost", "ours", "with others"), costs(found)),
        markdown(("fault", "incident opened", "last action done", "recovery proven"), faults(found)),
        measured_when(found),
    )
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n" + "\n\n".join(filter(None, parts)) + f"\n{END}{after}", "utf-8")


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """Write one table in Markdown; none where there is no row."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines]) if lines else ""


def costs(found: Found) -> Iterator[Row]:
    """List what a healthy minute costs, beside what it costs with Prefect's own."""
    for name, one in found:
        for figure in map(Figure.model_validate, one["figures"]):
            if not figure.budget and figure.what.startswith(COSTS):
                beside = [f"{other.name} {amount(median(other.values), figure.unit)}" for other in figure.alternatives]
                yield (name, figure.what, amount(figure.median, figure.unit), ", ".join(beside))


def faults(found: Found) -> Iterator[Row]:
    """List how soon each fault is found, acted on and proven to be over, under orders and without a person."""
    for _, one in found:
        for fault in one["details"].get("faults", ()):
            yield (fault["fault"], *(amount(fault.get(step), "s") or "a person ends it" for step in STEPS))


def measured_when(found: Found) -> str:
    """Say when and where it was measured, and what was measured beside other work."""
    if not found:
        return ""
    machine, when = found[-1][1]["machine"], span(found)
    busy = ", ".join(name for name, one in found if not one["machine"]["was_quiet"])
    system = machine["platform"].partition("-")[0]
    text = f"{when[0].upper()}{when[1:]}; {machine['cores']} cores, Python {machine['python']}, {system}."
    return text + (f"\nBeside other work, so slower than it is: {busy}." if busy else "")
