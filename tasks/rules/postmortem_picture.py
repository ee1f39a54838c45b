"""Draw one incident as an inline SVG: its span, what was done, what the looks saw, and when people heard of it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tasks.model.chart import Chart, ReleaseMark
from tasks.model.incident import Event, Outcome
from tasks.model.postmortem import PostmortemCase
from tasks.rules.chart import FATE_COLOURS, PROBE_COLOURS, image_markdown, svg_path, svg_text
from tasks.rules.chart_history import past_point
from tasks.rules.chart_slots import FATES, SLOTS_COUNT, Slot, slots_of
from tasks.rules.chart_style import chart_style
from tasks.rules.postmortem_actions import actions_taken
from tasks.rules.postmortem_times import acknowledged, began_at, lasted
from tasks.rules.times import shifted, utc_text

WIDTH, HEIGHT = 720, 246
LEFT, RIGHT = 84, 708
STEP = (RIGHT - LEFT) / SLOTS_COUNT
LABEL_ROWS = (36, 48, 60, 72)
LANES = {"incident": (82, 98), "actions": (104, 120), "probes": (126, 146), "orders": (152, 196)}
AXIS_Y, LEGEND_Y = 212, 228
TICKS_COUNT = 6
LEAST = timedelta(minutes=4)
LETTER_WIDTH, LABEL_LIMIT_COUNT, MARKS_LIMIT_COUNT, SPANS_LIMIT_COUNT = 6, 24, 10, 40
OUTCOME_COLOURS: dict[str, str] = {
    Outcome.RECOVERED: "good",
    Outcome.DONE: "good",
    Outcome.NOT_RECOVERED: "bad",
    Outcome.REFUSED: "refused",
}
LEGEND = {
    "good": "passed, delivered, helped",
    "refused": "refused",
    "unsure": "not known",
    "bad": "failed, did not help",
}


class Span(NamedTuple):
    """One bar of a lane."""

    since: datetime
    until: datetime
    colour: str


def picture_lines(case: PostmortemCase) -> list[str]:
    """Write the picture as one line of markdown; its alternative text says the same in words.

    Runbook: §5.1 Capture timelines.
    """
    return ["## Picture", "", image_markdown(picture_words(case), picture_svg(case))]


def picture_words(case: PostmortemCase) -> str:
    """Say in one sentence what the picture shows."""
    began, _ = began_at(case)
    ended = case.incident.closed_at
    took = f"over after {lasted((ended - began).total_seconds())}" if ended else "not over yet"
    acted = ", ".join(
        f"{one.action.replace('_', ' ')}: {one.outcome or 'end not known'}" for one in actions_taken(case)
    )
    return f"{case.incident.service}, trouble since {utc_text(began)}, {took}; actions: {acted[:300] or 'none'}."


def picture_svg(case: PostmortemCase) -> str:
    """Draw it.

    Errors: none; foreign text is escaped and cut.
    Source: https://www.w3.org/TR/SVG2/
    """
    chart = _chart(case)
    slots = slots_of(chart)
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<title>{svg_text(picture_words(case), 400)}</title><style>{chart_style()}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text x="12" y="19" class="text b">{svg_text(_head(case, chart), 100)}</text>',
        *_lanes(),
        *_spans(chart, "incident", _incident_span(case, chart)),
        *_spans(chart, "actions", _action_spans(case, chart)),
        *_probes(slots),
        *_orders(slots),
        *_axis(chart),
        *_marks(chart),
        *_legend(),
        "</svg>",
    )
    return "".join(parts)


def _chart(case: PostmortemCase) -> Chart:
    """Take the time of the incident with a little before and after, and what the looks saw in it."""
    began, _ = began_at(case)
    last = [one.record.timestamp for one in case.records] + [look.at for look in case.looks]
    ended = case.incident.closed_at or max([began, *last])
    length = max(LEAST, (ended - began) * 1.2)
    since = shifted(began, (ended - began - length) / 2)
    points = tuple(past_point(look) for look in case.looks)
    return Chart(
        service=case.incident.service, since=since, until=shifted(since, length), points=points, releases=_told(case)
    )


def _told(case: PostmortemCase) -> tuple[ReleaseMark, ...]:
    """Name the moments that people ask for."""
    who, acted = acknowledged(case), actions_taken(case)
    notified = next((one.record.timestamp for one in case.records if one.record.event == Event.NOTIFIED), None)
    moments = (
        (case.incident.opened_at, "opened"),
        (notified, "told"),
        (who[0] if who else None, "acknowledged"),
        *((one.began_at, one.action.replace("_", " ")) for one in acted[: MARKS_LIMIT_COUNT - 4]),
        (case.incident.closed_at, "closed"),
    )
    return tuple(ReleaseMark(at=at, label=label) for at, label in moments if at is not None)


def _incident_span(case: PostmortemCase, chart: Chart) -> Iterable[Span]:
    began, _ = began_at(case)
    yield Span(began, case.incident.closed_at or chart.until, "bad")


def _action_spans(case: PostmortemCase, chart: Chart) -> Iterable[Span]:
    for one in actions_taken(case)[:SPANS_LIMIT_COUNT]:
        colour = OUTCOME_COLOURS.get(one.outcome or "", "unsure")
        yield Span(one.began_at, one.ended_at or chart.until, colour)


def _spans(chart: Chart, lane: str, spans: Iterable[Span]) -> Iterable[str]:
    top, base = LANES[lane]
    for span in spans:
        start, end = _x(chart, span.since), _x(chart, span.until)
        # What took a second of a day is still seen.
        size = f'width="{max(2.0, end - start):.1f}" height="{base - top - 4}"'
        yield f'<rect class="{span.colour}" x="{start:.1f}" y="{top + 2}" {size}/>'


def _probes(slots: tuple[Slot, ...]) -> Iterable[str]:
    top, base = LANES["probes"]
    for seen, colour in PROBE_COLOURS.items():
        yield svg_path(colour, (_bar(i, base, base - top) for i, slot in enumerate(slots) if slot.health is seen))


def _orders(slots: tuple[Slot, ...]) -> Iterable[str]:
    top, base = LANES["orders"]
    scale = (base - top) / (max(slot.orders_count for slot in slots) or 1)
    for number, fate in enumerate(FATES):
        bars = []
        for index, slot in enumerate(slots):
            below = sum(slot.fates.get(under, 0) for under in FATES[:number]) * scale
            bars.append(_bar(index, base - below, slot.fates.get(fate, 0) * scale))
        yield svg_path(FATE_COLOURS[fate], bars)


def _bar(slot: int, base: float, height: float) -> str:
    if height <= 0:
        return ""
    return f"M{LEFT + slot * STEP + 0.7:.1f} {base:.1f}v-{height:.1f}h{STEP - 1.4:.1f}v{height:.1f}z"


def _lanes() -> Iterable[str]:
    for name, (top, base) in LANES.items():
        yield f'<rect class="lane" x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{base - top}"/>'
        yield f'<text x="12" y="{top + 12}" class="text">{name}</text>'


def _axis(chart: Chart) -> Iterable[str]:
    length = chart.until - chart.since
    for number in range(TICKS_COUNT + 1):
        x = LEFT + (RIGHT - LEFT) * number / TICKS_COUNT
        anchor = "end" if number == TICKS_COUNT else "start" if number == 0 else "middle"
        at = _clock(shifted(chart.since, length * number / TICKS_COUNT), length)
        yield f'<text x="{x:g}" y="{AXIS_Y}" class="soft" text-anchor="{anchor}">{at}</text>'


def _marks(chart: Chart) -> Iterable[str]:
    """Draw each moment as a line, its word in the first row that is free there; a word without room is left out."""
    free = [float(LEFT)] * len(LABEL_ROWS)
    for mark in sorted(chart.releases, key=lambda one: one.at)[:MARKS_LIMIT_COUNT]:
        x, room = _x(chart, mark.at), LETTER_WIDTH * min(len(mark.label), LABEL_LIMIT_COUNT) + 8.0
        row = next((number for number, free_from in enumerate(free) if x >= free_from and x + room <= RIGHT), None)
        y = LABEL_ROWS[row] if row is not None else LABEL_ROWS[-1]
        yield f'<path class="line" d="M{x:.1f} {y - 8}V{LANES["orders"][1]}"/>'
        if row is not None:
            yield f'<text x="{x + 3:.1f}" y="{y}" class="mark">{svg_text(mark.label, LABEL_LIMIT_COUNT)}</text>'
            free[row] = x + room


def _legend() -> Iterable[str]:
    x = LEFT
    for colour, word in LEGEND.items():
        yield f'<rect class="{colour}" x="{x}" y="{LEGEND_Y}" width="9" height="9"/>'
        yield f'<text x="{x + 14}" y="{LEGEND_Y + 8}" class="soft">{word}</text>'
        x += 34 + LETTER_WIDTH * len(word)


def _x(chart: Chart, at: datetime) -> float:
    part = (at - chart.since) / (chart.until - chart.since)
    return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, part))


def _head(case: PostmortemCase, chart: Chart) -> str:
    return (
        f"{case.incident.service}, {chart.since.astimezone(UTC).date().isoformat()}, UTC: {case.incident.incident_id}"
    )


def _clock(at: datetime, length: timedelta) -> str:
    shape = "%H:%M:%S" if length < timedelta(minutes=30) else "%H:%M" if length < timedelta(days=1) else "%d %b %H:%M"
    return at.astimezone(UTC).strftime(shape)
