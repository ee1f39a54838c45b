"""One JSON document on stdout, whatever foreign text it quotes."""

import json
import math
from typing import Any

from deployments.views.words import put
from tasks.rules.json_values import CUT, DEPTH_LIMIT_COUNT

# The one control character that JSON leaves as it is.
DELETE = "\x7f"


def say_json(document: object) -> None:
    """Print one JSON document, in ASCII, so that it passes through every terminal, pipe and code page."""
    put(json.dumps(plain(document), indent=2, allow_nan=False).replace(DELETE, "\\u007f") + "\n")


def plain(value: Any, levels_left: int = DEPTH_LIMIT_COUNT) -> Any:
    """Make a value fit for JSON: numbers that JSON does not have become text, and absurd nesting is cut."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, dict):
        return {str(key): plain(each, levels_left - 1) for key, each in value.items()} if levels_left else CUT
    if isinstance(value, list | tuple):
        return [plain(each, levels_left - 1) for each in value] if levels_left else CUT
    return value
