"""Make text from outside safe inside a report: it must not forge a row, a link or a picture."""

import re
from collections.abc import Iterable, Sequence

CELL_LIMIT_COUNT = 600
# Also what a page makes a link or a mention of without any markup: an address, a name after an at sign.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
# Marks of direction reorder what stands beside them; control characters act on a terminal that shows the file.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")


def cell(text: str, limit_count: int = CELL_LIMIT_COUNT) -> str:
    """Make foreign text safe inside a markdown table: one line, escaped, cut."""
    one_line = _UNSEEN.sub("\ufffd", " ".join(text.split()))
    cut = one_line if len(one_line) <= limit_count else one_line[:limit_count] + " …"
    return _SPECIAL.sub(r"\\\1", cut)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay out a markdown table; what comes from outside was made a `cell` before."""
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
