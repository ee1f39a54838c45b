"""Draw one recovery before and after a change: `python -m bench.timeline BEFORE.json AFTER.json > recovery.svg`.

Both are results of `make bench-remedies`, which keeps the pieces of its last recovery.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

LEFT, RIGHT, TOP, ROW, BAR = 230, 930, 30, 18, 12
GROUND, TEXT, SOFT, BEFORE, AFTER = "#ffffff", "#1f2328", "#d0d7de", "#bc4c00", "#1a7f37"
# The pieces, by the tasks of Prefect that they are made of; several of one piece run at once.
PIECES = {
    "first pass of checks": ("probe_health", "read_metrics", "send_synthetic_order", "probe_gateways", "read_routing"),
    "confirming checks": ("confirm_failure",),
    "plan, report opened": ("plan_remediation", "open_report"),
    "people notified": ("notify",),
    "lock, evidence": ("lease_service", "take_snapshot"),
}

KEYS = ("start_time", "end_time")


class Piece(NamedTuple):
    """One piece of a recovery. Units: seconds since the hang."""

    what: str
    start_s: float
    end_s: float


def pieces(hung_at: datetime, started_at: datetime, acted: tuple[datetime, datetime], tasks: Any) -> Iterator[Piece]:
    """Cut a recovery into its pieces, up to the first answer; `tasks` are task runs as Prefect's API gives them."""
    times = [
        (one["name"].rpartition("-")[0], *(_after(hung_at, datetime.fromisoformat(one[key])) for key in KEYS))
        for one in tasks
        if all(one[key] for key in KEYS)
    ]
    began_s, ended_s = (_after(hung_at, one) for one in acted)
    yield Piece("silence seen, triage started", 0.0, _after(hung_at, started_at))
    for what, names in PIECES.items():
        found = [(start_s, end_s) for name, start_s, end_s in times if name in names and start_s < ended_s]
        if found:
            yield Piece(what, min(start for start, _ in found), max(end for _, end in found))
    rechecks = [start_s for name, start_s, _ in times if name == "restart_service"]
    yield from (Piece("checked once more", start_s, began_s) for start_s in rechecks)
    yield Piece("killed, started, answers", began_s, ended_s)


def _after(hung_at: datetime, at: datetime) -> float:
    return round((at - hung_at).total_seconds(), 2)


def svg(before: Sequence[Piece], after: Sequence[Piece]) -> str:
    """Draw both, one below the other, on one scale of seconds."""
    longest_s = max(one.end_s for one in (*before, *after))
    scale = (RIGHT - LEFT) / longest_s
    height = TOP * 3 + ROW * (len(before) + len(after) + 1)
    lines = [
        f'<line x1="{LEFT + second * scale:.0f}" x2="{LEFT + second * scale:.0f}" y1="{TOP}" y2="{height - TOP}" '
        f'stroke="{SOFT}"/><text x="{LEFT + second * scale:.0f}" y="{height - TOP + 14}" text-anchor="middle">'
        f"{second} s</text>"
        for second in range(0, int(longest_s) + 1, 2)
    ]
    rows = [
        *_rows("before", before, BEFORE, TOP, scale),
        *_rows("after", after, AFTER, TOP * 2 + ROW * (len(before) + 1), scale),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {RIGHT + 70} {height}" font-family="sans-serif"'
    body = "".join((*lines, *rows))
    return f'{head} font-size="11" fill="{TEXT}"><rect width="100%" height="100%" fill="{GROUND}"/>{body}</svg>\n'


def _rows(title: str, found: Sequence[Piece], color: str, top: int, scale: float) -> Iterator[str]:
    answers_s = max(one.end_s for one in found)
    yield f'<text x="8" y="{top}" font-weight="bold">{title}: answers again after {answers_s:.1f} s</text>'
    for number, one in enumerate(found):
        y, x, width = top + 6 + number * ROW, LEFT + one.start_s * scale, max(1.5, (one.end_s - one.start_s) * scale)
        yield f'<text x="{LEFT - 8}" y="{y + BAR - 2}" text-anchor="end">{escape(one.what)}</text>'
        yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{color}" rx="2"/>'
        yield f'<text x="{x + width + 4:.1f}" y="{y + BAR - 2}">{one.end_s - one.start_s:.2f} s</text>'


def read(path: str) -> list[Piece]:
    """Read the pieces of one result. Errors: SystemExit where it holds none."""
    document = json.loads(Path(path).read_text("utf-8"))
    found = document.get("details", {}).get("recovery")
    if not found:
        raise SystemExit(f"NO_RECOVERY: expected a result of `make bench-remedies`, found path={path}")
    return [Piece(*one) for one in found]


def main(paths: Iterable[str]) -> None:
    before, after = map(read, paths)
    sys.stdout.write(svg(before, after))


if __name__ == "__main__":
    main(sys.argv[1:])
