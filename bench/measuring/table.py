"""The one table of all benches: what, ours, the alternative and how many times as good, the budget and if it is met."""

from collections.abc import Iterable

from bench.measuring.figures import Alternative, Bound, Figure, Judged
from bench.measuring.machine import Machine

HEAD = ("what", "median", "p95", "alternative", "its median", "times as good", "budget", "met")
LEFT = (True, False, False, True, False, False, True, True)


def table_lines(title: str, machine: Machine, figures: Iterable[Figure]) -> list[str]:
    """Lay the table of one bench out."""
    return ["", title, machine_words(machine), *aligned([HEAD, *(row for one in figures for row in rows(one))])]


def rows(figure: Figure) -> list[tuple[str, ...]]:
    """Give the rows of one figure: one for itself with its first alternative, one for each further alternative."""
    first, *others = figure.alternatives or (None,)
    median, p95 = amount(figure.median, figure.unit), amount(figure.p95, figure.unit)
    rounds = f" ({len(figure.values)})" if len(figure.values) > 1 else ""
    own = (f"{figure.what}{rounds}", median, p95 if len(figure.values) > 1 else "")
    found = [(*own, *_beside(figure, first), budget_words(figure), met_words(figure.met))]
    found += [("", "", "", *_beside(figure, one), "", "") for one in others]
    return [*found, *([(f"  {figure.note}", *[""] * (len(HEAD) - 1))] if figure.note else [])]


def _beside(figure: Figure, other: Alternative | None) -> tuple[str, str, str]:
    if other is None:
        return ("", "", "")
    ratio, median = figure.ratio(other), Figure(what="", unit="", values=other.values).median
    return (other.name, amount(median, figure.unit), f"{ratio:.2f}" if ratio is not None else "")


def amount(value: float, unit: str) -> str:
    """Write a value with its unit, in as many digits as can be believed."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 20 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def budget_words(figure: Figure) -> str:
    """Write the budget."""
    if figure.budget is None:
        return ""
    sign = "≤" if figure.budget.bound is Bound.AT_MOST else "≥"
    judged = " p95" if figure.budget.judged is Judged.P95 else ""
    return f"{sign} {figure.budget.limit:g} {figure.unit}{judged}"


def met_words(met: bool | None) -> str:
    """Say whether a budget was met."""
    return "" if met is None else "yes" if met else "NO"


def machine_words(machine: Machine) -> str:
    """Describe the machine, and warn where it worked for others."""
    during = machine.other_cores_during
    others = f"other work {machine.other_cores_before:.1f} cores before" + (
        f", {during:.1f} during" if during is not None else ""
    )
    warning = "" if machine.was_quiet else "; BUSY: these figures are false, for development only"
    return f"{machine.cores} cores, Python {machine.python}, Prefect {machine.versions['prefect']}; {others}{warning}"


def aligned(table: list[tuple[str, ...]]) -> list[str]:
    """Set columns under each other."""
    # A note stands alone in its row, and widens no column.
    widths = [max(len(row[at]) for row in table if at or any(row[1:])) for at in range(len(HEAD))]
    return [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, LEFT, strict=True)
        ).rstrip()
        for row in table
    ]
