"""Write the generated parts of the pages: the commands, the settings, our metrics, from the code that has them.

A part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`; all around it is written by people.
`python -m docs.generate` brings every page up to date, and tests/house/test_docs.py fails until somebody did.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from deployments.cli import app
from deployments.monitoring import definitions
from deployments.monitoring.exposition import Exposition
from order_service.runtime.settings import PREFIX as SERVICE_PREFIX
from order_service.runtime.settings import Settings
from tasks.settings import PREFIX, RunbookSettings

DOCS = Path(__file__).resolve().parent
# What pydantic does not know: what each key is for. A key's own `description` goes before this.
WORDS: dict[str, dict[str, str]] = tomllib.loads((DOCS / "settings.toml").read_text("utf-8"))
PART = re.compile(r"(<!-- generated: ([a-z_]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)
BOUNDS = (("gt", "> "), ("ge", "≥ "), ("lt", "< "), ("le", "≤ "))
# How the keys of a table of tables are called.
NAMED = {"synthetic_orders": "CLASS", "asset_classes": "CLASS", "calendars": "NAME", "own_calendars": "NAME"}


class Table(NamedTuple):
    """One table of settings: its path in `runbook.toml`, its fields, and the prefix of its variables."""

    path: str
    model: type[BaseModel]
    prefix: str = ""

    def words(self, key: str) -> str:
        """Say what a key is for; empty where nobody has written it down."""
        return self.model.model_fields[key].description or WORDS.get(self.path, {}).get(key, "")


def cli() -> str:
    """Describe every command with its arguments and options."""
    text = app.generate_docs(output_format="markdown")
    # Two lists of all commands come first; the second one says what each is for.
    described = text[text.index("\n**") :]
    # It is wrapped as wide as the terminal is; a page wraps by itself.
    unwrapped = re.sub(r"\n {4}(?=\S)", " ", described)
    return re.sub(r"^(#+ )", r"#\1", unwrapped, flags=re.MULTILINE).strip()


def variables() -> str:
    """List the variables of the automation."""
    return "\n".join(_rows(runbook_tables()[0]))


def tables() -> str:
    """List the keys of each table of `runbook.toml`, one section each."""
    return "\n\n".join("\n".join((f"### `[{table.path}]`", "", *_rows(table))) for table in runbook_tables()[1:])


def order_service() -> str:
    """List the variables of the bundled order service."""
    return "\n".join(_rows(order_service_table()))


def metrics() -> str:
    """List our own metrics, as the exposition itself names them."""
    labels = {one.name: ("service", *one.labels) for one in (*definitions.GAUGES, *definitions.COUNTERS)}
    labels |= {one.name: ("service",) for one in definitions.HISTOGRAMS}
    rows = ["| metric | type | labels | means |", "|---|---|---|---|"]
    with TemporaryDirectory() as folder:
        for family in Exposition(RunbookSettings(state_dir=Path(folder))).collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            own = labels.get(name) or tuple(dict.fromkeys(key for one in family.samples for key in one.labels))
            named = ", ".join(f"`{label}`" for label in own)
            rows.append(f"| `{name}` | {family.type} | {named} | {family.documentation} |")
    return "\n".join(rows)


def bench_targets() -> str:
    """List what `make` measures."""
    makefile = (DOCS.parent / "Makefile").read_text("utf-8")
    found = re.findall(r"^(bench[a-z-]*):.*?## (?:Measure )?(.+)$", makefile, re.MULTILINE)
    return "\n".join(("| target | measures |", "|---|---|", *(f"| `make {name}` | {what} |" for name, what in found)))


PARTS: Mapping[str, Callable[[], str]] = {
    "cli": cli,
    "variables": variables,
    "tables": tables,
    "order_service": order_service,
    "metrics": metrics,
    "bench_targets": bench_targets,
}


def runbook_tables() -> list[Table]:
    """Find every table of `runbook.toml`; the first one holds the variables."""
    top = Table("runbook", RunbookSettings, PREFIX)
    return [top, *_below(top, "", set())]


def order_service_table() -> Table:
    """Give the settings of the bundled order service."""
    return Table("order_service", Settings, SERVICE_PREFIX)


def undescribed() -> list[str]:
    """Name the keys of which nobody has written what they are for, and the words that are for no key."""
    every = [*runbook_tables(), order_service_table()]
    lacking = [f"{table.path}.{key}" for table in every for key in table.model.model_fields if not table.words(key)]
    known = {(table.path, key) for table in every for key in table.model.model_fields}
    return lacking + [f"{path}.{key}" for path, keys in WORDS.items() for key in keys if (path, key) not in known]


def page_now(text: str) -> str:
    """Write the generated parts of one page again."""
    return PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]().rstrip()}\n{found[3]}", text)


def stale() -> dict[Path, str]:
    """Find the pages whose generated parts are not what the code says, each with what it should be."""
    pages = {path: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
    return {path: now for path, text in pages.items() if (now := page_now(text)) != text}


def _below(table: Table, path: str, known: set[type[BaseModel]]) -> Iterator[Table]:
    """Find the tables below one, each model once: the tiers of Slack have the same keys."""
    for key, field in table.model.model_fields.items():
        name = f"{path}.{key}" if path else key
        for model, is_named in _models_of(field.annotation):
            if model in known:
                continue
            known.add(model)
            below = Table(f"{name}.{NAMED.get(key, 'NAME')}" if is_named else name, model)
            yield below
            yield from _below(below, below.path, known)


def _models_of(annotation: Any, is_named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """Find the models in a type, and whether each is one of several under names of a person's choice."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_named
    for part in get_args(annotation):
        yield from _models_of(part, is_named or get_origin(annotation) is dict)


def _rows(table: Table) -> Iterator[str]:
    yield f"| {'variable' if table.prefix else 'key'} | default | allowed | means |"
    yield "|---|---|---|---|"
    for key, field in table.model.model_fields.items():
        name = f"{table.prefix}{key.upper()}" if table.prefix else key
        yield f"| `{name}` | {_default(field)} | {_allowed(field)} | {table.words(key)} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        return "its own table"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or (isinstance(value, tuple | dict | frozenset | str) and not value):
        return "none"
    if isinstance(value, tuple | frozenset):
        return f"`{[_plain(one) for one in sorted(value)]}`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return f"{value:.10g}" if isinstance(value, float) else value


def _allowed(field: FieldInfo) -> str:
    words = list(_words_of(field.annotation))
    if words:
        return ", ".join(f"`{word}`" for word in words)
    limits = {name: getattr(rule, name, None) for rule in field.metadata for name, _ in BOUNDS if hasattr(rule, name)}
    return ", ".join(f"{sign}{limits[name]:g}" for name, sign in BOUNDS if limits.get(name) is not None)


def _words_of(annotation: Any) -> Iterator[Any]:
    """List the words that a closed type takes; a table of tables names none."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (one.value for one in annotation)
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is not dict:
        for part in get_args(annotation):
            yield from _words_of(part)


def main() -> None:
    """Bring every page up to date; a key without words is named, and nothing is written."""
    # cyclopts names its commands as this process was started.
    sys.argv[0] = "runbook"
    if missing := undescribed():
        sys.exit(f"docs/settings.toml: expected words for every key and no other was {', '.join(missing)}; correct it")
    for path, text in stale().items():
        path.write_text(text, "utf-8")
        print(f"{path.relative_to(DOCS.parent)}: brought up to date")


if __name__ == "__main__":
    main()
