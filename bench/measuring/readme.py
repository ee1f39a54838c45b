"""The table of budgets as it stands in the README, written from the JSON of the last measurement."""

from collections.abc import Iterator
from pathlib import Path

from bench.measuring.report import RESULTS, results
from bench.measuring.summary import budget_rows, span
from bench.measuring.table import HEAD

BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


def write_readme(path: Path, folder: Path = RESULTS) -> None:
    """Put the table between its marks."""
    text = path.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{chr(10).join(table(folder))}\n{END}{after}", "utf-8")


def table(folder: Path) -> Iterator[str]:
    """Write the table in Markdown, and where and when it was measured."""
    found = list(results(folder))
    if not found:
        return
    yield "| bench | " + " | ".join(HEAD) + " |"
    yield "|" + "---|" * (len(HEAD) + 1)
    for name, one in found:
        for row in budget_rows(name, one):
            cells = (name, row[0].removeprefix(f"{name}: "), *row[1:])
            yield "| " + " | ".join(cells) + " |"
    machine, when = found[-1][1]["machine"], span(found)
    busy = [name for name, one in found if not one["machine"]["was_quiet"]]
    yield ""
    yield f"{when.capitalize()}; {machine['cores']} cores, Python {machine['python']}, {machine['platform']}."
    if busy:
        yield f"Beside other work, so slower than it is: {', '.join(busy)}."
