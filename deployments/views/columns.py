"""One renderer for whatever a command shows: a line is a template over the names of a value.

`{name}` is a value of the item, `{a.b}` one within another, `{}` the item itself; `{name:15}` is as wide as that, and
`{name!b}` is bold (d dim, g good, w warning, e bad, s by what the word means). What is not known is left out, with the
words before it. The ending of a name says its unit.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from string import Formatter
from typing import Any, NamedTuple

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, facts, line
from tasks.rules.formats.time import utc_text

MARKS = {"b": BOLD, "d": DIM, "g": GOOD, "w": UNSURE, "e": BAD, None: ""}
GOOD_WORDS = {"accepted", "active", "executed", "ok", "open", "passed", "rejected_as_expected", "running", "safe"}
UNSURE_WORDS = {"blind", "closed", "degraded", "draft", "halted", "reducing", "unknown", "wait", "warning"}
MEANINGS = {**dict.fromkeys(GOOD_WORDS, GOOD), **dict.fromkeys(UNSURE_WORDS, UNSURE), "not_configured": DIM}
GIB, MIB = 2**30, 2**20
UNITS: dict[str, Callable[[float], str]] = {
    "_bytes": lambda count: f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.1f} MiB",
    "_ratio": "{:.0%}".format,
    "_count": "{:.0f}".format,
    "_ms": "{:g} ms".format,
    "_s": "{:.3g} s".format,
    "_at": str,
}
# What is computed for a reader, beside the names of the value itself.
Computed = Mapping[str, Callable[[Any], Any]]


class Rows(NamedTuple):
    """A line for each item; beyond `limit` they are counted as `things`. A negative limit keeps the last ones."""

    of: str
    template: str
    limit: int | None = None
    things: str = ""


class View(NamedTuple):
    """How one kind of value is laid out: its first line, its facts by name (or `name=path`), its rows."""

    head: str = ""
    facts: str = ""
    rows: tuple[Rows, ...] = ()
    computed: Computed | None = None


def laid_out(view: View, value: object) -> list[Text]:
    named = [name.rpartition("=") for name in view.facts.split()]
    known = [(_title(title or path), shown(path, get(path, value, view.computed))) for title, _, path in named]
    rows = [row for rows in view.rows for row in _rows(rows, value, view.computed)]
    return [*(lines(view.head, value, view.computed) if view.head else []), *facts(known), *rows]


def lines(template: str, item: object, computed: Computed | None = None) -> list[Text]:
    """Fill in a template; each of its lines of which nothing is known is left out."""
    return [row for each in template.split("\n") if (row := _line(each, item, computed))]


def get(path: str, value: Any, computed: Computed | None = None) -> Any:
    """Find a value by its name; None where there is none."""
    if computed and path in computed:
        return computed[path](value)
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def shown(name: str, value: Any) -> str:
    """Write a value for a person, by its type and by the unit that its name ends with."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return next((form(value) for unit, form in UNITS.items() if name.endswith(unit)), str(value))
        case dict():
            return ", ".join(f"{key} {shown(name, each)}" for key, each in sorted(value.items()))
        case list() | tuple():
            return ", ".join(shown(name, each) for each in value)
        case _:
            return "" if value is None else utc_text(value) if isinstance(value, datetime) else str(value)


def _rows(rows: Rows, value: Any, computed: Computed | None) -> Iterable[Text]:
    items = list(get(rows.of, value, computed) or ())
    limit = rows.limit if rows.limit is not None else len(items)
    left = len(items) - abs(limit)
    if limit < 0 < left:
        yield line((f"  {left} older {rows.things} are left out; --json has all", DIM))
    for item in items[limit:] if limit < 0 else items[:limit]:
        yield from lines(rows.template, item, computed)
    if limit > 0 and left > 0:
        yield line((f"  and {left} more {rows.things}; --json has all", DIM))


def _line(template: str, item: object, computed: Computed | None) -> Text | None:
    parts: list[tuple[str, str]] = []
    known = False
    for words, name, width, mark in Formatter().parse(template):
        found = None if name is None else get(name, item, computed)
        text = shown(name or "", found)
        known = known or bool(text) or "{" not in template
        if text or width or name is None:
            style = MEANINGS.get(str(found), BAD) if mark == "s" else MARKS[mark]
            parts += [(words, ""), (text.ljust(int(width or 0)), style)]
    return line(*parts) if known else None


def _title(name: str) -> str:
    stem = next((name.removesuffix(unit) for unit in UNITS if name.endswith(unit)), name)
    return stem.replace(".", " ").replace("_", " ")
