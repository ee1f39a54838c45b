"""Find values in an answer by the expressions of a service's description; what cannot be found is not known."""

import math
from functools import lru_cache
from typing import Any

import jmespath
import orjson
import re2  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from tasks.model.probes.control import printable_line

NOT_JSON = object()


@lru_cache(maxsize=1024)
def _expression(text: str) -> ParsedResult:
    return jmespath.compile(text)


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    return re2.compile(text)


def document_of(body: str) -> Any:
    """Read any JSON, also a bare word or a list; `NOT_JSON` for everything else.

    Steps: some frameworks write a byte order mark before it.
    """
    try:
        return orjson.loads(body.removeprefix("\ufeff"))
    except (orjson.JSONDecodeError, RecursionError, ValueError):
        return NOT_JSON


def value_at(expression: str, document: Any) -> Any:
    """Give what stands there, or None: also where a function of the expression does not take what the answer holds."""
    if document is NOT_JSON:
        return None
    try:
        return _expression(expression).search(document)
    except (JMESPathError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None


def holds(expression: str, document: Any) -> bool | None:
    """Say whether a condition is true or false; anything else, as an empty list or a text, is not known."""
    found = value_at(expression, document)
    return found if isinstance(found, bool) else None


def word_at(expression: str | None, document: Any, limit_count: int = 100) -> str | None:
    """Give a word or a number as one printable line; None for what is neither."""
    found = value_at(expression, document) if expression else None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    if isinstance(found, float) and not math.isfinite(found):
        return None
    return printable_line(str(found)[:limit_count].strip()) or None


def matches(pattern: str, text: str) -> bool:
    """Say whether a pattern is found in a text, in time that grows with its length only."""
    return _pattern(pattern).search(text) is not None
