"""All budgets in one table, from the JSON that the benches wrote."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench.measuring.figures import Alternative, Budget, Figure
from bench.measuring.report import RESULTS, results
from bench.measuring.stack import Database
from bench.measuring.table import HEAD, aligned, rows


class Ended(NamedTuple):
    """How one bench ended. Units: seconds."""

    name: str
    database: Database | None
    exit_code: int
    took_s: float
    reason: str


def summary_lines(ended: Sequence[Ended], since: datetime | None = None) -> list[str]:
    """Lay out every budget, met or missed, then what broke, and how long each bench took."""
    found = [(name, one) for name, one in results(RESULTS) if since is None or _measured_at(one) >= since]
    table = [HEAD, *(row for name, one in found for row in budget_rows(name, one))]
    busy = [name for name, one in found if not one.get("machine", {}).get("was_quiet", False)]
    return [
        "",
        f"all budgets, {span(found)}",
        *aligned(table),
        *([f"measured on a BUSY machine, so false: {', '.join(busy)}"] if busy else []),
        *_broken(ended),
        *_times(ended),
    ]


def budget_rows(name: str, found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Give the rows of one bench that have a budget."""
    budgeted = [figure_of(one) for one in found["figures"] if one.get("budget")]
    return [(f"{name}: {row[0]}" if row[0].strip() else "", *row[1:]) for one in budgeted for row in rows(one)[:1]]


def figure_of(document: dict[str, Any]) -> Figure:
    """Read one row back from its JSON."""
    known = {name: document[name] for name in ("what", "unit", "values", "more_is_better") if name in document}
    others = tuple(
        Alternative(name=one["name"], values=tuple(one["values"])) for one in document.get("alternatives", ())
    )
    budget = Budget.model_validate(document["budget"]) if document.get("budget") else None
    return Figure(**{**known, "values": tuple(known["values"])}, budget=budget, alternatives=others)


def _broken(ended: Iterable[Ended]) -> list[str]:
    return [
        f"BROKE: {one.name}{f' on {one.database}' if one.database else ''}: {one.reason or f'exit {one.exit_code}'}"
        for one in ended
        if one.exit_code not in {0, 3}
    ]


def _times(ended: Sequence[Ended]) -> list[str]:
    if not ended:
        return []
    parts = ", ".join(
        f"{one.name}{f' ({one.database})' if one.database else ''} {one.took_s / 60:.1f}" for one in ended
    )
    return [f"took {sum(one.took_s for one in ended) / 60:.1f} minutes: {parts}"]


def span(found: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Say when all of it was measured."""
    if not found:
        return "nothing measured yet"
    times = sorted(_measured_at(one) for _, one in found)
    quick = " (quick: few rounds)" if any(one.get("quick") for _, one in found) else ""
    return f"measured {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC{quick}"


def _measured_at(found: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(found["measured_at"]).astimezone(UTC)
