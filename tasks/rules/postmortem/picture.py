"""Draw one incident: its span, what was done, what the checks saw, and when people were notified."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tasks.model.incidents.incident import Event, Outcome
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.model.reports.chart import Chart, ReleaseMark
from tasks.rules.formats.time import shifted, utc_text
from tasks.rules.incidents.paths import file_stem
from tasks.rules.postmortem.actions import actions_taken
from tasks.rules.postmortem.durations import acknowledged, began_at, lasted
from tasks.rules.reports.chart import past_point
from tasks.rules.reports.drawing import (
    Lane,
    draw_axis,
    draw_lanes,
    draw_legend,
    draw_marks,
    draw_orders,
    draw_probes,
    drawing,
    image_markdown,
    position,
    slots_of,
)

HEIGHT, AXIS_Y, LEGEND_Y = 246, 212, 228
LABEL_ROWS = (36, 48, 60, 72)
LANES = {
    "incident": Lane(82, 98),
    "actions": Lane(104, 120),
    "probes": Lane(126, 146),
    "orders": Lane(152, 196),
}
LEAST = timedelta(minutes=4)
MARKS_LIMIT_COUNT, SPANS_LIMIT_COUNT = 10, 40
OUTCOME_COLORS: dict[str, str] = {
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


def picture_lines(case: PostmortemCase, address: str) -> list[str]:
    """Write the picture as one line of markdown; its alternative text says the same in words.

    Runbook: §5.1 Capture timelines.
    """
    return ["## Picture", "", image_markdown(picture_words(case), address)]


def picture_name(incident_id: str) -> str:
    """Name the file of the picture, beside the document."""
    return f"{file_stem(incident_id)}.svg"


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
    chart = _chart(case)
    slots = slots_of(chart)
    began, _ = began_at(case)
    marks = sorted(chart.releases, key=lambda one: one.at)[:MARKS_LIMIT_COUNT]
    parts = (
        *draw_lanes(LANES, {}),
        _span(chart, "incident", began, case.incident.closed_at, "bad"),
        *_action_spans(case, chart),
        *draw_probes(slots, LANES["probes"]),
        *draw_orders(slots, LANES["orders"]),
        *draw_axis(chart, AXIS_Y),
        *draw_marks(chart, marks, LABEL_ROWS, LANES["orders"].base),
        *draw_legend(LEGEND, LEGEND_Y),
    )
    day = chart.since.astimezone(UTC).date().isoformat()
    head = f"{case.incident.service}, {day}, UTC: {case.incident.incident_id}"
    return drawing(picture_words(case), head, HEIGHT, parts)


def _chart(case: PostmortemCase) -> Chart:
    """Take the time of the incident with a little before and after, and what the checks saw in it."""
    began, _ = began_at(case)
    last = [one.record.timestamp for one in case.records] + [look.at for look in case.looks]
    ended = case.incident.closed_at or max([began, *last])
    length = max(LEAST, (ended - began) * 1.2)
    since = shifted(began, (ended - began - length) / 2)
    points = tuple(past_point(look) for look in case.looks)
    return Chart(
        service=case.incident.service, since=since, until=shifted(since, length), points=points, releases=_moments(case)
    )


def _moments(case: PostmortemCase) -> tuple[ReleaseMark, ...]:
    """Name the moments that people ask for."""
    who, acted = acknowledged(case), actions_taken(case)
    notified = next((one.record.timestamp for one in case.records if one.record.event == Event.NOTIFIED), None)
    moments = (
        (case.incident.opened_at, "opened"),
        (notified, "notified"),
        (who[0] if who else None, "acknowledged"),
        *((one.began_at, one.action.replace("_", " ")) for one in acted[: MARKS_LIMIT_COUNT - 4]),
        (case.incident.closed_at, "closed"),
    )
    return tuple(ReleaseMark(at=at, label=label) for at, label in moments if at is not None)


def _action_spans(case: PostmortemCase, chart: Chart) -> Iterable[str]:
    for one in actions_taken(case)[:SPANS_LIMIT_COUNT]:
        color = OUTCOME_COLORS.get(one.outcome or "", "unsure")
        yield _span(chart, "actions", one.began_at, one.ended_at, color)


def _span(chart: Chart, name: str, since: datetime, until: datetime | None, color: str) -> str:
    start, end = position(chart, since), position(chart, until or chart.until)
    # What took a second of a day is still seen.
    width, lane = max(2.0, end - start), LANES[name]
    size = f'width="{width:.1f}" height="{lane.base - lane.top - 4}"'
    return f'<rect class="{color}" x="{start:.1f}" y="{lane.top + 2}" {size}/>'
