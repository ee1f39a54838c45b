"""The tables of the README, written from the JSON of the last measurement."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.measuring.report import RESULTS, results
from bench.measuring.summary import budget_rows, figure_of, span
from bench.measuring.table import HEAD, amount

Found = list[tuple[str, dict[str, Any]]]
COSTS = ("CPU of a healthy minute", "rows of", "bytes of", "memory")
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


def write_readme(path: Path, folder: Path = RESULTS) -> None:
    """Put the tables between their marks."""
    text, found = path.read_text("utf-8"), list(results(folder))
    parts = (budgets(found), costs(found), faults(found), told_when(found)) if found else ()
    written = "\n\n".join("\n".join(part) for part in map(list, parts) if part)
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}", "utf-8")


def budgets(found: Found) -> Iterator[str]:
    """Write every budget, in Markdown."""
    yield "| bench | " + " | ".join(HEAD) + " |"
    yield "|" + "---|" * (len(HEAD) + 1)
    for name, one in found:
        for row in budget_rows(name, one):
            cells = (name, row[0].removeprefix(f"{name}: "), *row[1:])
            yield "| " + " | ".join(cells) + " |"


def costs(found: Found) -> Iterator[str]:
    """Write what a healthy minute costs, beside what it costs with Prefect's own."""
    rows_found = [
        (name, figure)
        for name, one in found
        for figure in map(figure_of, one["figures"])
        if not figure.budget and figure.what.startswith(COSTS)
    ]
    if rows_found:
        yield "| bench | cost | ours | with others |"
        yield "|---|---|---|---|"
    for name, figure in rows_found:
        others = ", ".join(f"{one.name} {amount(median(one.values), figure.unit)}" for one in figure.alternatives)
        yield f"| {name} | {figure.what.partition(' (')[0]} | {amount(figure.median, figure.unit)} | {others} |"


def faults(found: Found) -> Iterator[str]:
    """Write how soon each fault is found, acted on and proven to be over, under orders and with nobody's help."""
    for _, one in found:
        courses = one["details"].get("faults", ())
        if courses:
            yield "| fault | incident opened | last action done | recovery proven |"
            yield "|---|---|---|---|"
        for course in courses:
            steps = (course[name] for name in ("found_s", "acted_s", "proven_s"))
            cells = (amount(step, "s") if step is not None else "a person ends it" for step in steps)
            yield f"| {course['fault']} | " + " | ".join(cells) + " |"


def told_when(found: Found) -> Iterator[str]:
    """Say when and where it was measured, and what was measured beside other work."""
    machine, when = found[-1][1]["machine"], span(found)
    busy = [name for name, one in found if not one["machine"]["was_quiet"]]
    system = machine["platform"].partition("-")[0]
    yield f"{when[0].upper()}{when[1:]}; {machine['cores']} cores, Python {machine['python']}, {system}."
    if busy:
        yield f"Beside other work, so slower than it is: {', '.join(busy)}."
