"""Draw the last hour as an inline SVG: probes, order outcomes, errors, release marks.

Bars of one colour are one path, which keeps the worst hour under 20 KiB. The drawing brings its own ground, light or
dark, because the page that shows it is either. A probe's height says what its colour says. No scripts, no links.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from tasks.model.chart import Chart
from tasks.model.looks import Seen
from tasks.rules.chart_slots import BROKEN, DELIVERED, FATES, REFUSED, SLOTS_COUNT, UNKNOWN, Slot, slots_of, sums_of
from tasks.rules.chart_style import chart_style

WIDTH, HEIGHT = 720, 232
LEFT, RIGHT = 84, 708
STEP = (RIGHT - LEFT) / SLOTS_COUNT
# The lanes: y of the top and of the base.
PROBES, ORDERS, ERRORS = (46, 66), (80, 136), (150, 186)
LANES = {"probes": PROBES, "orders": ORDERS, "errors": ERRORS}
PROBE_HEIGHTS = {Seen.PASSED: 8, Seen.BLIND: 14, Seen.FAILED: 20}
TICKS_COUNT = 6
HEAD_LIMIT_COUNT = 75
MARKS_LIMIT_COUNT, LABEL_LIMIT_COUNT, LETTER_WIDTH = 12, 20, 6
PROBE_COLOURS = {Seen.PASSED: "good", Seen.BLIND: "unsure", Seen.FAILED: "bad"}
FATE_COLOURS = {DELIVERED: "good", REFUSED: "refused", UNKNOWN: "unsure", BROKEN: "bad"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ALT = re.compile(r"[\[\]()\\`*_<>!\n]")


def chart_markdown(chart: Chart) -> str:
    """Write the chart as one line of markdown; its alternative text says the same in words.

    Runbook: §1.1 When did it start.
    """
    return image_markdown(chart_words(chart), chart_svg(chart))


def image_markdown(words: str, svg: str) -> str:
    """Write a drawing as one line of markdown, with words for who cannot see it."""
    return f"![{_NOT_ALT.sub(' ', words)}]({as_data_uri(svg)})"


def as_data_uri(svg: str) -> str:
    """Pack an SVG into an address that a page shows without asking anybody for it."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def chart_words(chart: Chart) -> str:
    """Say in one sentence what the chart shows."""
    slots = slots_of(chart)
    seen = [slot.health for slot in slots if slot.health]
    errors = sum(slot.errors_count for slot in slots)
    probes = f"{seen.count(Seen.PASSED)} of {len(seen)} minutes with a look passed"
    return f"{chart.service}, {_span(chart)}: {probes}; {_orders_words(slots)}; error lines: {errors}."


def chart_svg(chart: Chart) -> str:
    """Draw the chart.

    Errors: none; foreign text is escaped and cut.
    Source: https://www.w3.org/TR/SVG2/
    """
    slots = slots_of(chart)
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<title>{svg_text(chart_words(chart), 300)}</title><style>{chart_style()}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        *_head(chart, slots),
        *_lanes(slots),
        *_probes(slots),
        *_orders(slots),
        *_errors(slots),
        *_axis(chart),
        *_marks(chart),
        *_legend(),
        "</svg>",
    )
    return "".join(parts)


def _head(chart: Chart, slots: tuple[Slot, ...]) -> Iterable[str]:
    service = svg_text(chart.service, HEAD_LIMIT_COUNT // 3)
    left_count = HEAD_LIMIT_COUNT - min(len(chart.service), HEAD_LIMIT_COUNT // 3)
    yield f'<text x="12" y="19" class="text b">{service}, {_span(chart)}</text>'
    yield f'<text x="{RIGHT}" y="19" class="soft" text-anchor="end">{svg_text(_orders_words(slots), left_count)}</text>'


def _lanes(slots: tuple[Slot, ...]) -> Iterable[str]:
    most = {"probes": 0, "orders": _most_orders(slots), "errors": _most_errors(slots)}
    for name, (top, base) in LANES.items():
        yield f'<rect class="lane" x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{base - top}"/>'
        yield f'<text x="12" y="{top + 12}" class="text">{name}</text>'
        if most[name]:
            yield f'<text x="12" y="{top + 26}" class="soft">to {_short(most[name])}</text>'


def _probes(slots: tuple[Slot, ...]) -> Iterable[str]:
    for seen, height in PROBE_HEIGHTS.items():
        yield svg_path(
            PROBE_COLOURS[seen], (_bar(i, PROBES[1], height) for i, slot in enumerate(slots) if slot.health is seen)
        )


def _orders(slots: tuple[Slot, ...]) -> Iterable[str]:
    scale = (ORDERS[1] - ORDERS[0]) / (_most_orders(slots) or 1)
    for number, fate in enumerate(FATES):
        bars = []
        for index, slot in enumerate(slots):
            below = sum(slot.fates.get(under, 0) for under in FATES[:number]) * scale
            bars.append(_bar(index, ORDERS[1] - below, slot.fates.get(fate, 0) * scale))
        yield svg_path(FATE_COLOURS[fate], bars)


def _errors(slots: tuple[Slot, ...]) -> Iterable[str]:
    scale = (ERRORS[1] - ERRORS[0]) / (_most_errors(slots) or 1)
    # One error in an hour of thousands is still seen.
    heights = (max(2.0, slot.errors_count * scale) if slot.errors_count else 0.0 for slot in slots)
    yield svg_path("bad", (_bar(index, ERRORS[1], height) for index, height in enumerate(heights)))


def _axis(chart: Chart) -> Iterable[str]:
    length = chart.until - chart.since
    for number in range(TICKS_COUNT + 1):
        at, x = chart.since + length * number / TICKS_COUNT, LEFT + (RIGHT - LEFT) * number / TICKS_COUNT
        anchor = "end" if number == TICKS_COUNT else "start" if number == 0 else "middle"
        yield f'<text x="{x:g}" y="200" class="soft" text-anchor="{anchor}">{_clock(at)}</text>'


def _marks(chart: Chart) -> Iterable[str]:
    """Draw the newest marks; a label that would cover a newer one is left out."""
    shown = sorted((mark for mark in chart.releases if chart.part(mark.at) is not None), key=lambda mark: mark.at)
    free_to = float(RIGHT)
    for mark in reversed(shown[-MARKS_LIMIT_COUNT:]):
        x = LEFT + (RIGHT - LEFT) * (chart.part(mark.at) or 0)
        yield f'<path class="line" d="M{x:.1f} 30V{ERRORS[1]}"/>'
        label = svg_text(mark.label, LABEL_LIMIT_COUNT)
        room = LETTER_WIDTH * min(len(mark.label), LABEL_LIMIT_COUNT) + 6
        fits = x + room <= RIGHT
        start = x if fits else x - room
        if start + room <= free_to:
            at = f'x="{x + 3:.1f}"' if fits else f'x="{x - 3:.1f}" text-anchor="end"'
            yield f'<text {at} y="39" class="mark">{label}</text>'
            free_to = start


def _legend() -> Iterable[str]:
    words = {"good": "passed, delivered", "refused": "refused", "unsure": "blind, unknown", "bad": "failed"}
    x = LEFT
    for colour, word in words.items():
        yield f'<rect class="{colour}" x="{x}" y="212" width="9" height="9"/>'
        yield f'<text x="{x + 14}" y="220" class="soft">{word}</text>'
        x += 34 + 6 * len(word)


def _bar(slot: int, base: float, height: float) -> str:
    if height <= 0:
        return ""
    return f"M{LEFT + slot * STEP + 0.7:.1f} {base:.1f}v-{height:.1f}h{STEP - 1.4:.1f}v{height:.1f}z"


def svg_path(colour: str, bars: Iterable[str]) -> str:
    """Draw bars of one colour as one path; none is nothing."""
    drawn = "".join(bars)
    return f'<path class="{colour}" d="{drawn}"/>' if drawn else ""


def _short(count: int) -> str:
    return f"{count}" if count < 10_000 else f"{count / 1000:.0f}k"


def _most_orders(slots: tuple[Slot, ...]) -> int:
    return max(slot.orders_count for slot in slots)


def _most_errors(slots: tuple[Slot, ...]) -> int:
    return max(slot.errors_count for slot in slots)


def _orders_words(slots: tuple[Slot, ...]) -> str:
    sums = ", ".join(f"{_short(count)} {fate}" for fate, count in sums_of(slots).items() if count)
    return f"orders: {sums or 'none'}"


def _span(chart: Chart) -> str:
    day = chart.until.astimezone(UTC).date().isoformat()
    return f"{day} {_clock(chart.since)} to {_clock(chart.until)} UTC"


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M")


def svg_text(text: str, limit_count: int) -> str:
    """Make foreign text safe inside a drawing: one line, what XML allows, escaped, cut."""
    one_line = " ".join(_NOT_XML.sub("", text).split())
    return escape(one_line if len(one_line) <= limit_count else one_line[: limit_count - 1] + "…")
