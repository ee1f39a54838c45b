"""Draw what checks saw over time as an SVG: slots, bars, marks, an axis; the pictures of report and postmortem use it.

Bars of one color are one path, which keeps the worst hour under 20 KiB. A drawing brings its own ground, light or dark,
because the page that shows it is either. No scripts, no links; text from outside is escaped and cut.
Source: https://www.w3.org/TR/SVG2/
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape

from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.reports.chart import Chart, ReleaseMark
from tasks.rules.formats.time import shifted

# A test holds their contrast.
LIGHT = {
    "ground": "#ffffff", "text": "#1f2328", "soft": "#59636e", "lane": "#eaeef2", "mark": "#0969da",
    "good": "#1a7f37", "bad": "#cf222e", "unsure": "#8250df", "refused": "#bc4c00",
}  # fmt: skip
DARK = {
    "ground": "#0d1117", "text": "#e6edf3", "soft": "#9198a1", "lane": "#21262d", "mark": "#58a6ff",
    "good": "#3fb950", "bad": "#f85149", "unsure": "#a371f7", "refused": "#f0883e",
}  # fmt: skip
WIDTH, LEFT, RIGHT = 720, 84, 708
SLOTS_COUNT, TICKS_COUNT = 60, 6
STEP = (RIGHT - LEFT) / SLOTS_COUNT
LABEL_LIMIT_COUNT, LETTER_WIDTH = 24, 6
# The height of a probe says what its color says.
PROBES = {Seen.PASSED: ("good", 8), Seen.BLIND: ("unsure", 14), Seen.FAILED: ("bad", 20)}
# What a desk asks of an order: did it come back as it should, was it refused, do we not know, or did something break.
DELIVERED, REFUSED, UNKNOWN, BROKEN = "delivered", "refused", "unknown", "broken"
FATE_COLORS = {DELIVERED: "good", REFUSED: "refused", UNKNOWN: "unsure", BROKEN: "bad"}
FATE_OF = {
    OrderOutcome.EXECUTED: DELIVERED,
    OrderOutcome.REJECTED_AS_EXPECTED: DELIVERED,
    OrderOutcome.REJECTED: REFUSED,
    OrderOutcome.DENIED: REFUSED,
    OrderOutcome.UNKNOWN: UNKNOWN,
    OrderOutcome.TIMED_OUT: UNKNOWN,
    OrderOutcome.NO_EXECUTION: BROKEN,
    OrderOutcome.ERROR: BROKEN,
    OrderOutcome.MALFORMED: BROKEN,
    OrderOutcome.NOT_REACHED: BROKEN,
}
# Not configured is no probe at all; a failed probe outweighs a blind one.
_WORSE = (Seen.NOT_CONFIGURED, Seen.PASSED, Seen.BLIND, Seen.FAILED)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ALT = re.compile(r"[\[\]()\\`*_<>!\n]")


class Lane(NamedTuple):
    """A horizontal band: y of its top and of its base."""

    top: int
    base: int


@dataclass(slots=True)
class Slot:
    """One stretch of the drawing; `health` is None where nothing was probed."""

    health: Seen | None = None
    fates: dict[str, int] = field(default_factory=dict)
    errors_count: int = 0

    @property
    def orders_count(self) -> int:
        return sum(self.fates.values())


def slots_of(chart: Chart) -> tuple[Slot, ...]:
    """Put every point into its slot; what lies outside the chart is left out."""
    slots = tuple(Slot() for _ in range(SLOTS_COUNT))
    for point in chart.points:
        part = chart.part(point.at)
        if part is None:
            continue
        slot = slots[min(int(part * SLOTS_COUNT), SLOTS_COUNT - 1)]
        slot.health = max(slot.health or point.health, point.health, key=_WORSE.index)
        slot.errors_count += point.errors_count
        for outcome, count in point.orders.items():
            # A blind check sent nothing: no order, no fate.
            fate = FATE_OF.get(outcome)
            if fate and count > 0:
                slot.fates[fate] = slot.fates.get(fate, 0) + count
    return slots


def sums_of(slots: Iterable[Slot]) -> dict[str, int]:
    """Sum the fates of all orders."""
    found = list(slots)
    return {fate: sum(slot.fates.get(fate, 0) for slot in found) for fate in FATE_COLORS}


def drawing(words: str, head: str, height: int, parts: Iterable[str]) -> str:
    """Frame the parts: the ground, the style, `words` for who cannot see it, and `head` in the first line."""
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<title>{svg_text(words, 400)}</title><style>{_style()}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>',
            f'<text x="12" y="19" class="text b">{svg_text(head, 100)}</text>',
            *parts,
            "</svg>",
        )
    )


def draw_lanes(lanes: Mapping[str, Lane], most: Mapping[str, int]) -> Iterable[str]:
    """Draw the empty bands with their names; `most` says what the full height of one stands for."""
    for name, (top, base) in lanes.items():
        yield f'<rect class="lane" x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{base - top}"/>'
        yield f'<text x="12" y="{top + 12}" class="text">{name}</text>'
        if most.get(name):
            yield f'<text x="12" y="{top + 26}" class="soft">to {short_count(most[name])}</text>'


def draw_probes(slots: tuple[Slot, ...], lane: Lane) -> Iterable[str]:
    for seen, (color, height) in PROBES.items():
        yield _path(color, (_bar(i, lane.base, height) for i, slot in enumerate(slots) if slot.health is seen))


def draw_orders(slots: tuple[Slot, ...], lane: Lane) -> Iterable[str]:
    """Stack the orders of each slot by what became of them."""
    scale = (lane.base - lane.top) / (max(slot.orders_count for slot in slots) or 1)
    bars: dict[str, list[str]] = {fate: [] for fate in FATE_COLORS}
    for index, slot in enumerate(slots):
        base = float(lane.base)
        for fate in FATE_COLORS:
            height = slot.fates.get(fate, 0) * scale
            bars[fate].append(_bar(index, base, height))
            base -= height
    for fate, color in FATE_COLORS.items():
        yield _path(color, bars[fate])


def draw_errors(slots: tuple[Slot, ...], lane: Lane) -> Iterable[str]:
    scale = (lane.base - lane.top) / (max(slot.errors_count for slot in slots) or 1)
    # One error in an hour of thousands is still seen.
    heights = (max(2.0, slot.errors_count * scale) if slot.errors_count else 0.0 for slot in slots)
    yield _path("bad", (_bar(index, lane.base, height) for index, height in enumerate(heights)))


def draw_axis(chart: Chart, y: int) -> Iterable[str]:
    length = chart.until - chart.since
    for number in range(TICKS_COUNT + 1):
        x = LEFT + (RIGHT - LEFT) * number / TICKS_COUNT
        anchor = "end" if number == TICKS_COUNT else "start" if number == 0 else "middle"
        at = clock(shifted(chart.since, length * number / TICKS_COUNT), length)
        yield f'<text x="{x:g}" y="{y}" class="soft" text-anchor="{anchor}">{at}</text>'


def draw_marks(chart: Chart, marks: Iterable[ReleaseMark], rows: tuple[int, ...], base: int) -> Iterable[str]:
    """Draw each mark as a line, with its label in the first row that is free there; one without room is left out."""
    taken: dict[int, list[tuple[float, float]]] = {row: [] for row in rows}
    for mark in marks:
        x, room = position(chart, mark.at), LETTER_WIDTH * min(len(mark.label), LABEL_LIMIT_COUNT) + 8.0
        fits = x + room <= RIGHT
        start, end = (x, x + room) if fits else (x - room, x)
        free = (row for row in rows if all(end <= left or start >= right for left, right in taken[row]))
        row = next(free, None)
        yield f'<path class="line" d="M{x:.1f} {(row or rows[-1]) - 8}V{base}"/>'
        if row is not None:
            taken[row].append((start, end))
            at = f'x="{x + 3:.1f}"' if fits else f'x="{x - 3:.1f}" text-anchor="end"'
            yield f'<text {at} y="{row}" class="mark">{svg_text(mark.label, LABEL_LIMIT_COUNT)}</text>'


def draw_legend(words: Mapping[str, str], y: int) -> Iterable[str]:
    x = LEFT
    for color, word in words.items():
        yield f'<rect class="{color}" x="{x}" y="{y}" width="9" height="9"/>'
        yield f'<text x="{x + 14}" y="{y + 8}" class="soft">{word}</text>'
        x += 34 + LETTER_WIDTH * len(word)


def position(chart: Chart, at: datetime) -> float:
    """Give the x of a time; what lies outside is at the edge."""
    part = (at - chart.since) / (chart.until - chart.since)
    return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, part))


def clock(at: datetime, length: timedelta) -> str:
    """Write a time as exactly as the length of the drawing needs."""
    shape = "%H:%M:%S" if length < timedelta(minutes=30) else "%H:%M" if length < timedelta(days=1) else "%d %b %H:%M"
    return at.astimezone(UTC).strftime(shape)


def short_count(count: int) -> str:
    return f"{count}" if count < 10_000 else f"{count / 1000:.0f}k"


def image_markdown(words: str, address: str) -> str:
    """Write a picture as one line of markdown, with words for who cannot see it."""
    return f"![{_NOT_ALT.sub(' ', words)}]({address})"


def as_data_uri(svg: str) -> str:
    """Pack an SVG into an address that a page shows without asking any server for it."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def svg_text(text: str, limit_count: int) -> str:
    """Make foreign text safe inside a drawing: one line, what XML allows, escaped, cut."""
    one_line = " ".join(_NOT_XML.sub("", text).split())
    return escape(one_line if len(one_line) <= limit_count else one_line[: limit_count - 1] + "…")


def _bar(slot: int, base: float, height: float) -> str:
    if height <= 0:
        return ""
    return f"M{LEFT + slot * STEP + 0.7:.1f} {base:.1f}v-{height:.1f}h{STEP - 1.4:.1f}v{height:.1f}z"


def _path(color: str, bars: Iterable[str]) -> str:
    drawn = "".join(bars)
    return f'<path class="{color}" d="{drawn}"/>' if drawn else ""


def _style() -> str:
    """Write the style sheet: light, and dark where the reader prefers it."""
    light, dark = (
        "".join(f".{name}{{fill:{color}}}" for name, color in colors.items())
        + f".line{{stroke:{colors['mark']};stroke-dasharray:3 2}}"
        for colors in (LIGHT, DARK)
    )
    font = "text{font:11px system-ui,sans-serif}.b{font-weight:600}"
    return f"{font}{light}@media(prefers-color-scheme:dark){{{dark}}}"
