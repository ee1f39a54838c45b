"""Make text from outside safe inside a report: it must not forge a row, a link or a picture."""

import re

CELL_LIMIT_COUNT = 600
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def cell(text: str) -> str:
    """Make foreign text safe inside a markdown table: one line, escaped, cut."""
    one_line = " ".join(text.split())
    cut = one_line if len(one_line) <= CELL_LIMIT_COUNT else one_line[:CELL_LIMIT_COUNT] + " …"
    return _SPECIAL.sub(r"\\\1", cut)
