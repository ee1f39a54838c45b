"""The chart of the last hour: true to its points, safe to show, small, and readable on any page."""

import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.reports.chart import Chart, ChartPoint, ReleaseMark
from tasks.rules.reports.chart import chart_markdown, chart_svg, chart_words
from tasks.rules.reports.drawing import BROKEN, DARK, DELIVERED, FATE_OF, LIGHT, UNKNOWN, as_data_uri, slots_of, sums_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIMIT_BYTES = 20 * 1024
SVG = "{http://www.w3.org/2000/svg}"
ALL_ORDERS = dict.fromkeys(OrderOutcome, 1_000_000)


def point(minutes_ago: float, health: Seen = Seen.PASSED, **facts: object) -> ChartPoint:
    """One pass of checks, so long ago."""
    return ChartPoint.model_validate({"at": NOW - timedelta(minutes=minutes_ago), "health": health, **facts})


def chart(*points: ChartPoint, releases: tuple[ReleaseMark, ...] = (), service: str = "order-service") -> Chart:
    """The hour before 15:00."""
    return Chart.last_hour(service, NOW, points, releases)


def bars(svg: str, colour: str) -> int:
    """Count the bars of one colour."""
    return sum(path.get("d", "").count("z") for path in drawn(svg, "path") if path.get("class") == colour)


def parsed(svg: str) -> ET.Element:
    """Read a drawing; fails where it is not well-formed."""
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def drawn(svg: str, tag: str) -> list[ET.Element]:
    """Find all elements of one kind."""
    return list(parsed(svg).iter(SVG + tag))


def texts(svg: str) -> list[str]:
    """Read every text of the drawing."""
    return [each.text or "" for each in drawn(svg, "text")]


def test_each_minute_shows_its_worst_probe() -> None:
    """A minute that failed once and passed once was not a good minute."""
    slots = slots_of(chart(point(9.9, Seen.PASSED), point(9.8, Seen.FAILED), point(9.7, Seen.BLIND)))

    assert [slot.health for slot in slots if slot.health] == [Seen.FAILED]


def test_a_minute_without_a_look_stays_empty() -> None:
    """Silence must not be drawn as health."""
    svg = chart_svg(chart())

    assert bars(svg, "good") == 0
    assert "0 of 0 probed minutes" in chart_words(chart())


def test_orders_are_told_apart_by_what_became_of_them() -> None:
    """Denied, unknown and broken are never the same."""
    outcomes = {OrderOutcome.EXECUTED: 3, OrderOutcome.TIMED_OUT: 1, OrderOutcome.NO_EXECUTION: 2}
    sums = sums_of(slots_of(chart(point(1, orders=outcomes), point(2, orders=outcomes))))

    assert (sums[DELIVERED], sums[UNKNOWN], sums[BROKEN]) == (6, 2, 4)


@pytest.mark.parametrize("outcome", [one for one in OrderOutcome if one is not OrderOutcome.BLIND])
def test_every_outcome_of_an_order_has_a_colour(outcome: OrderOutcome) -> None:
    """A new outcome that nobody draws would be an order that vanished."""
    assert outcome in FATE_OF


def test_the_stack_of_a_minute_is_as_high_as_its_orders() -> None:
    """The bars of one minute add up, from the base of the lane to its top."""
    svg = chart_svg(chart(point(30, orders={OrderOutcome.EXECUTED: 1, OrderOutcome.DENIED: 1, OrderOutcome.ERROR: 2})))
    heights = {
        path.get("class"): float(found.group(1))
        for path in drawn(svg, "path")
        if (found := re.search(r" (?:136|122|108)\.0v-([0-9.]+)", path.get("d", "")))
    }

    assert heights == {"good": 14.0, "refused": 14.0, "bad": 28.0}


def test_one_error_is_still_seen_beside_thousands() -> None:
    """The first error of an outage is the one that people look for."""
    svg = chart_svg(chart(point(50, errors_count=1), point(10, errors_count=100_000)))

    assert bars(svg, "bad") == 2


def test_what_lies_outside_the_hour_is_not_drawn() -> None:
    """Neither yesterday nor a clock that runs ahead moves the picture."""
    outside = (point(61, Seen.FAILED, errors_count=5), point(-1, Seen.FAILED))
    marks = (ReleaseMark(at=NOW - timedelta(hours=2), label="old"),)
    svg = chart_svg(chart(*outside, releases=marks))

    assert bars(svg, "bad") == 0
    assert "old" not in texts(svg)


def test_a_release_is_marked_where_it_happened() -> None:
    """Half way through the hour is half way through the picture."""
    svg = chart_svg(chart(releases=(ReleaseMark(at=NOW - timedelta(minutes=30), label="1.1.0"),)))
    line = next(path for path in drawn(svg, "path") if path.get("class") == "line")

    assert line.get("d", "").startswith("M396.0 ")
    assert "1.1.0" in texts(svg)


def test_of_labels_that_would_cover_each_other_the_newest_is_kept() -> None:
    """The last deploy before the errors is the one that matters; every mark keeps its line."""
    marks = tuple(ReleaseMark(at=NOW - timedelta(minutes=30, seconds=ago), label=f"1.{ago}.0") for ago in (0, 1, 2))
    svg = chart_svg(chart(releases=marks))

    assert [text for text in texts(svg) if text.startswith("1.")] == ["1.0.0"]
    assert sum(path.get("class") == "line" for path in drawn(svg, "path")) == 3


def test_foreign_text_is_text() -> None:
    """A release may be named by anybody; the drawing stays a drawing."""
    nasty = '</text><script>alert(1)</script>&"\x00\x1b[2J\ud800'
    svg = chart_svg(chart(releases=(ReleaseMark(at=NOW, label=nasty),), service=nasty))

    assert drawn(svg, "script") == []
    assert "&lt;script" in svg


def test_nothing_in_it_runs_or_is_fetched() -> None:
    """It is shown inside pages that people are signed in to."""
    svg = chart_svg(chart(point(1), releases=(ReleaseMark(at=NOW, label="1.1.0"),)))
    named = {element.tag.removeprefix(SVG) for element in parsed(svg).iter()}

    assert named == {"svg", "title", "style", "rect", "text", "path"}
    assert "url(" not in svg
    assert "href" not in svg
    assert " on" not in re.sub(r"<title>.*?</title>", "", svg)


def test_the_worst_hour_stays_small() -> None:
    """An artifact is loaded by everybody who joins the call."""
    points = tuple(
        point(second / 60, list(Seen)[second % 4], orders=ALL_ORDERS, errors_count=second * 7919)
        for second in range(3600)
    )
    marks = tuple(ReleaseMark(at=NOW - timedelta(seconds=7 * number), label="<&>" * 99) for number in range(500))
    whole = chart(*points, releases=marks, service="s" * 300)

    assert len(chart_svg(whole).encode()) <= LIMIT_BYTES
    assert len(chart_markdown(whole)) <= LIMIT_BYTES


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(LIGHT.keys() - {"ground", "lane"}))
def test_every_colour_can_be_told_from_its_ground(colours: dict[str, str], name: str) -> None:
    """At three in the morning, on a dimmed screen, in either theme.

    Source: WCAG 2.2, 1.4.3 (text, 4.5) and 1.4.11 (graphics, 3).
    """
    least = 4.5 if name in {"text", "soft", "mark"} else 3.0
    ground = colours["ground"] if name in {"text", "soft", "mark"} else colours["lane"]

    assert contrast(colours[name], ground) >= least


def test_the_drawing_is_its_own_address() -> None:
    """The page asks no server for it."""
    svg = chart_svg(chart(point(1)))
    kind, _, data = as_data_uri(svg).partition(",")

    assert kind == "data:image/svg+xml;base64"
    assert b64decode(data).decode() == svg


def test_the_markdown_is_one_image_with_words() -> None:
    """Whoever cannot see the picture reads the same; foreign marks do not break out of it."""
    found = re.fullmatch(r"!\[([^\[\]]+)\]\((data:[^()\s]+)\)", chart_markdown(chart(point(1), service="a](b)\n|<i>")))

    assert found
    assert "1 of 1 probed minutes passed" in found.group(1)


def test_a_chart_without_length_is_refused() -> None:
    """A picture of no time shows nothing."""
    with pytest.raises(ValidationError):
        Chart(service="s", since=NOW, until=NOW)


POINTS = some.builds(
    ChartPoint,
    at=some.datetimes(timezones=some.just(UTC)),
    health=some.sampled_from(Seen),
    orders=some.dictionaries(some.sampled_from(OrderOutcome), some.integers()),
    errors_count=some.integers(min_value=0),
)
MARKS = some.builds(ReleaseMark, at=some.datetimes(NOW.replace(tzinfo=None) - timedelta(hours=1),
                    NOW.replace(tzinfo=None), timezones=some.just(UTC)), label=some.text(max_size=60))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(points=some.lists(POINTS, max_size=20), marks=some.lists(MARKS, max_size=8), service=some.text(max_size=80))
def test_no_points_break_the_drawing(points: list[ChartPoint], marks: list[ReleaseMark], service: str) -> None:
    """Whatever the history holds, the report has its picture."""
    svg = chart_svg(chart(*points, releases=tuple(marks), service=service))

    parsed(svg)
    assert len(svg.encode()) <= LIMIT_BYTES


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours as WCAG does."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Compute the relative luminance of a colour."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
