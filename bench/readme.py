"""The tables of a page of the documentation, written from the JSON of the last measurement."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.report import HEAD, RESULTS, Found, Row, amount, budget_rows, results, span

COSTS = ("CPU of a healthy minute", "rows of", "bytes of", "memory")
STEPS = ("found", "acted on", "proven")
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


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
