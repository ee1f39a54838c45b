"""Lines for a person: aligned, coloured on a terminal only, and safe to show whatever they quote."""

import io
import json
import math
import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from deployments.views.words import put, safe
from tasks.rules.formats.json_values import CUT, DEPTH_LIMIT_COUNT

Part = str | tuple[str, str]
TEXT_LIMIT_COUNT = 400
# The one control character that JSON leaves as it is.
DELETE = "\x7f"
GOOD, BAD, UNSURE, DIM, BOLD = "green", "bold red", "yellow", "dim", "bold"


def line(*parts: Part) -> Text:
    """Put one line together; a part with a style is a pair. Control characters are shown, never sent."""
    whole = Text()
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        whole.append(printable(text), style)
    return whole


def printable(text: str) -> str:
    """Show what would act on a terminal as an escape, and cut what is too long to read."""
    cut = text if len(text) <= TEXT_LIMIT_COUNT else text[:TEXT_LIMIT_COUNT] + " …"
    return safe(cut)


def facts(pairs: Iterable[tuple[str, str | None]]) -> list[Text]:
    """Lay out names and values in two columns; a value that is not known is left out."""
    known = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in known), default=0)
    return [line("  ", (name.ljust(width), DIM), "  ", value) for name, value in known]


def show(lines: Iterable[Text | str]) -> None:
    """Print lines at once; a long one is neither wrapped nor cut. A pipe gets no colours, and NO_COLOR nothing bold."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(
        file=sys.stdout, highlight=False, soft_wrap=True, color_system=None if os.environ.get("NO_COLOR") else "auto"
    )
    for one in lines:
        console.print(Text(safe(one)) if isinstance(one, str) else one)
    sys.stdout.flush()


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
