"""Read loggers that put a level on a line, and what they say on indented lines below it: those of .NET and Erlang.

Source: Microsoft.Extensions.Logging.Console, SimpleConsoleFormatter.
"""

import re

from tasks.model.logs.findings import Severity
from tasks.rules.logs.level_words import WORDS

INDENT = "  "
LINES_BELOW = 12
_HEAD = re.compile(r"(?:.{0,40} )?(trce|dbug|info|warn|fail|crit): [\w.`+<>, -]{1,200}\[\d{1,10}\]\s*", re.ASCII)


def console_severity(line: str) -> Severity | None:
    """Give the level of a head; None for any other line."""
    found = _HEAD.fullmatch(line)
    if found:
        return WORDS[found[1]]
    return Severity.INFO if line.startswith(("=INFO REPORT", "=PROGRESS REPORT")) else None
