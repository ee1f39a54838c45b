"""Read foreign JSON without trust: every answer is a value of the type asked for, or nothing."""

import json
import math
from typing import Any

import orjson

from tasks.model.probes.control import printable_line

# Our own documents are some ten levels deep.
DEPTH_LIMIT_COUNT = 40
UNKNOWN_STATE = "unknown"
CUT = "… cut: nested too deeply"


def parse_object(text: str) -> dict[str, Any] | None:
    """Parse a JSON object, or say None for anything else: other types, NaN, bad UTF-8, absurd nesting."""
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def doubled_key(text: str) -> str:
    """Name the first key that stands twice in one object, or an empty text: readers differ in which of them counts."""
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if not doubled and len(set(keys)) < len(keys):
            doubled.append(printable_line(next(key for key in keys if keys.count(key) > 1))[:100])

    try:
        json.loads(text.removeprefix("\ufeff"), object_pairs_hook=once)
    except (RecursionError, ValueError):
        return ""
    return doubled[0] if doubled else ""


def shallow(value: Any, levels_left: int = DEPTH_LIMIT_COUNT) -> Any:
    """Cut what is nested absurdly deep: it can be read, and whoever writes it recurses, and breaks."""
    if isinstance(value, dict):
        return {key: shallow(each, levels_left - 1) for key, each in value.items()} if levels_left else CUT
    if isinstance(value, list):
        return [shallow(each, levels_left - 1) for each in value] if levels_left else CUT
    return value


def text_of(table: dict[str, Any] | None, key: str, limit_count: int = 500) -> str | None:
    """Take a text, cut to a limit of characters."""
    value = (table or {}).get(key)
    return value[:limit_count] if isinstance(value, str) else None


def line_of(table: dict[str, Any] | None, key: str, limit_count: int = 500) -> str | None:
    """Take a text that people read in one line, cut to a limit of characters."""
    value = text_of(table, key, limit_count)
    return None if value is None else printable_line(value)


def state_of(table: dict[str, Any] | None, key: str, limit_count: int = 40) -> str | None:
    """Take a state in lower case; None where none is said. What is said and is no word is a state that nobody knows."""
    value = (table or {}).get(key)
    if value is None:
        return None
    word = printable_line(value[:limit_count]).lower() if isinstance(value, str) else ""
    return word or UNKNOWN_STATE


def table_of(table: dict[str, Any] | None, key: str) -> dict[str, Any] | None:
    value = (table or {}).get(key)
    return value if isinstance(value, dict) else None


def number_of(table: dict[str, Any] | None, key: str) -> float | None:
    """Take a finite number; true and false are not numbers."""
    value = (table or {}).get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
