"""Read the names of metrics, and the labels that they are selected by, out of PromQL."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{([^}]*)\})?")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"})


class Selected(NamedTuple):
    """One metric in an expression, and the labels in its braces."""

    name: str
    labels: frozenset[str]


def selected(expression: str) -> Iterator[Selected]:
    """Find every metric of an expression; a name before a parenthesis is a function."""
    text = _GROUPING.sub(" ", _RANGE.sub(" ", _STRING.sub('""', expression)))
    for found in _SELECTOR.finditer(text):
        name, after = found.group(1), text[found.end() :].lstrip()
        in_number = found.start() > 0 and text[found.start() - 1].isdigit()
        if name.lower() not in _WORDS and not after.startswith("(") and not in_number:
            yield Selected(name, frozenset(re.findall(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*[=!]", found.group(2) or "")))
