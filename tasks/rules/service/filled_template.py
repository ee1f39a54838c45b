"""Fill a template with values, each escaped for what it stands in: a quote in a symbol is no way out of the JSON."""

import json
import re
from collections.abc import Callable, Mapping
from string import Template
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

PLAIN = re.compile(r"[A-Za-z0-9 ._:/@+,-]{0,500}")


def fill_body(template: str, values: Mapping[str, str | None], content_type: str) -> str | None:
    """Fill the body of a request; None where a value cannot stand in a body of that type.

    A value that is None becomes `null` in JSON, with the quotes that stand around it, and nothing elsewhere.
    """
    escape_value = _escape_for(content_type)
    if escape_value is _json:
        for name in [name for name, value in values.items() if value is None]:
            template = template.replace(f'"${{{name}}}"', "null")
    escaped = {name: escape_value(value) for name, value in values.items()}
    return None if None in escaped.values() else Template(template).substitute(escaped)


def fill_path(template: str, values: Mapping[str, str | None]) -> str:
    """Fill a path or its query; no value brings a slash, a dot-dot or a parameter of its own."""
    return Template(template).substitute({name: _path_part(value or "") for name, value in values.items()})


def fill_text(template: str, values: Mapping[str, str | None]) -> str:
    """Fill one argument of a command: it stays one argument, whatever the value holds."""
    return Template(template).substitute({name: (value or "").replace("\0", "") for name, value in values.items()})


def _path_part(value: str) -> str:
    # Dots are never quoted, and two of them lead one folder up.
    return quote(value, safe="") if value.strip(".") else quote(value).replace(".", "%2E")


def _escape_for(content_type: str) -> Callable[[str | None], str | None]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json
    if kind == "application/x-www-form-urlencoded":
        return lambda value: quote_plus(value or "")
    if kind.endswith(("/xml", "+xml")):
        return lambda value: escape(value or "", {'"': "&quot;", "'": "&apos;"})
    return lambda value: (value or "") if PLAIN.fullmatch(value or "") else None


def _json(value: str | None) -> str:
    return "null" if value is None else json.dumps(value)[1:-1]
