"""Reading expositions: what is read, what is odd, and what is unreadable; never anything else."""

import math
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tasks.clients.service.exposition import LIMIT_BYTES, read_exposition
from tasks.model.probes.metrics import MetricsSnapshot, MetricsUnreadable, MetricType, OddityCode, UnreadableCode

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
GOOD = b"""# HELP orders_total Orders by outcome.
# TYPE orders_total counter
orders_total{asset_class="equity",gateway="XNAS",outcome="filled"} 12
orders_total{asset_class="equity",gateway="XNAS",outcome="rejected",} 3 1764000000000
# a free comment, and a blank line

\torders_unknown \t 0
gateway_up { gateway = "XNAS" } 1.0
odd_values{kind="nan"} NaN
odd_values{kind="up"} +Inf
odd_values{kind="down"} -inf
escaped{text="a \\"quote\\", a \\\\ and a \\n line, and }"} 1e-3
{"dotted.name", "label.name"="x"} 7
"""


def read(body: bytes, content_type: str = "") -> MetricsSnapshot | MetricsUnreadable:
    """Read as the metrics look does."""
    return read_exposition(body, NOW, content_type)


def readable(body: bytes, content_type: str = "") -> MetricsSnapshot:
    """Read what must be readable."""
    found = read(body, content_type)
    assert isinstance(found, MetricsSnapshot), found
    return found


def unreadable(body: bytes, content_type: str = "") -> MetricsUnreadable:
    """Read what must not be readable."""
    found = read(body, content_type)
    assert isinstance(found, MetricsUnreadable), found
    return found


def test_a_whole_exposition_is_read() -> None:
    """Every form that the format allows arrives as a number under its labels."""
    found = readable(GOOD)

    assert found.value("orders_total", outcome="filled") == 12
    assert found.value("orders_total", outcome="rejected") == 3
    assert found.value("orders_unknown") == 0
    assert found.value("gateway_up", gateway="XNAS") == 1
    assert math.isnan(found.value("odd_values", kind="nan") or 0)
    assert found.value("odd_values", kind="down") == -math.inf
    assert found.series("escaped")[0].labels == (("text", 'a "quote", a \\ and a \n line, and }'),)
    assert found.value("dotted.name", **{"label.name": "x"}) == 7
    assert found.type_of("orders_total") is MetricType.COUNTER
    assert found.oddities == ()


def test_no_value_is_guessed_from_several_series() -> None:
    """A question that fits two series has no one answer."""
    assert readable(GOOD).value("orders_total") is None
    assert readable(GOOD).value("no_such_metric") is None


def test_a_reading_survives_storage_bit_for_bit() -> None:
    """The next run computes rates from the stored reading, and a replay judges it again."""
    found = readable(GOOD)

    assert MetricsSnapshot.model_validate_json(found.model_dump_json()).model_dump_json() == found.model_dump_json()


BAD_LINES = [
    (b"<html><body>503</body></html>\n", 1),
    (b'{"status": "ok"}\n', 1),
    (b"ok 1\nnot ok\n", 2),
    (b"ok 1\nbare\n", 2),
    (b"ok 1\n\n# note\nbad{a=b} 1\n", 4),
    (b'bad{a="b} 1\n', 1),
    (b'bad{a="b"\n', 1),
    (b'bad{a="b",,c="d"} 1\n', 1),
    (b'bad{a="b",a="c"} 1\n', 1),
    (b'bad{a="b"} \n', 1),
    (b"bad 1_000\n", 1),
    ("bad 1\u0663\n".encode(), 1),
    (b"bad 0x1F\n", 1),
    (b"bad 1 2 3\n", 1),
    (b"bad 1e\n", 1),
    (b"1bad 1\n", 1),
    (b"bad\x00name 1\n", 1),
    (b"bad " + b"9" * 5000 + b"\n", 1),
    (b"\xef\xbb\xbfok 1\n", 1),
    (b"ok 1\n# EOF\nlate 1\n", 3),
    (b'cut{a="b", c', 1),
]


@pytest.mark.parametrize(("body", "line"), BAD_LINES)
def test_garbage_is_unreadable_and_names_its_first_bad_line(body: bytes, line: int) -> None:
    """A garbage exposition is a fault of the observability, never an unhealthy service."""
    found = unreadable(body)

    assert (found.code, found.line) == (UnreadableCode.BAD_LINE, line)
    assert f"line={line}" in found.detail


@pytest.mark.parametrize(
    ("body", "content_type", "code", "line"),
    [
        (b"", "", UnreadableCode.NO_SAMPLES, None),
        (b"# TYPE orders_total counter\n", "", UnreadableCode.NO_SAMPLES, None),
        (b'ok 1\nlatin{a="\xe9"} 1\n', "", UnreadableCode.NOT_UTF8, 2),
        (b"a 1\n" * (LIMIT_BYTES // 4 + 1), "", UnreadableCode.TOO_LARGE, None),
        (b"ok 1\n", OPENMETRICS, UnreadableCode.CUT_OFF, None),
    ],
)
def test_other_ways_of_being_unreadable_have_names(
    body: bytes, content_type: str, code: UnreadableCode, line: int | None
) -> None:
    """Nothing to read is not the same as nothing wrong."""
    found = unreadable(body, content_type)

    assert (found.code, found.line) == (code, line)


def test_a_last_line_without_its_end_is_left_out() -> None:
    """A number that lost its last digits would look like a counter that was reset."""
    found = readable(b"whole 1234\norders_total 12")

    assert [sample.name for sample in found.samples] == ["whole"]
    assert [oddity.code for oddity in found.oddities] == [OddityCode.UNFINISHED_LINE]


def test_a_series_that_comes_twice_counts_once_or_not_at_all() -> None:
    """Two different values for one series are no value."""
    found = readable(b"same 1\nsame 1\nother 1\nother 2\nnan NaN\nnan NaN\n")

    assert [sample.name for sample in found.samples] == ["same", "nan"]
    assert [(oddity.code, oddity.line) for oddity in found.oddities] == [
        (OddityCode.SAME_TWICE, 2),
        (OddityCode.CONFLICTING_TWICE, 4),
        (OddityCode.SAME_TWICE, 6),
    ]


def test_odd_declarations_leave_the_samples_readable() -> None:
    """A wrong TYPE line costs the type, not the number."""
    first = b"# TYPE\n# TYPE a cuonter\na 1\n# TYPE b gauge\n# TYPE b counter\n"
    body = first + b"# HELP b x\n# HELP b y\nb 1\n# TYPE a gauge\n"
    found = readable(body)

    assert [oddity.code for oddity in found.oddities] == [
        OddityCode.BAD_TYPE,
        OddityCode.BAD_TYPE,
        OddityCode.TYPE_TWICE,
        OddityCode.HELP_TWICE,
        OddityCode.TYPE_AFTER_SAMPLES,
    ]
    assert found.type_of("b") is MetricType.GAUGE


def test_windows_line_ends_are_read() -> None:
    """A stub on another platform is still a stub."""
    assert readable(b"# TYPE a gauge\r\na 1\r\n").value("a") == 1


def test_openmetrics_is_read_with_exemplars_and_its_end() -> None:
    """The newer text format carries more, and must be whole."""
    registry = CollectorRegistry()
    orders = Counter("orders", "Orders.", ["outcome"], registry=registry)
    orders.labels("filled").inc(5, exemplar={"trace_id": "abc"})
    found = readable(generate_openmetrics(registry), OPENMETRICS)  # type: ignore[no-untyped-call]

    assert found.value("orders_total", outcome="filled") == 5
    assert found.type_of("orders_total") is MetricType.COUNTER


@settings(max_examples=150)
@given(st.lists(st.tuples(st.text(max_size=20), st.floats()), min_size=1, max_size=8))
def test_what_prometheus_client_writes_is_read_as_it_reads_it(series: list[tuple[str, float]]) -> None:
    """The service writes with prometheus_client; both readers must see the same series."""
    registry = CollectorRegistry()
    gauge = Gauge("gauge", "With \\ and \n in help.", ["label"], registry=registry)
    histogram = Histogram("seconds", "Seconds.", registry=registry)
    for label, value in series:
        gauge.labels(label.encode("utf-8", "replace").decode()).set(value)
        histogram.observe(1.0)
    body = generate_latest(registry)

    theirs = {
        (sample.name, tuple(sorted(sample.labels.items())), repr(float(sample.value)))
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    found = readable(body)
    assert {(sample.name, sample.labels, repr(sample.value)) for sample in found.samples} == theirs
    assert found.oddities == ()


SCRAPS = [
    b"orders_total",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"=",
    b",",
    b" ",
    b"\n",
    b"# TYPE ",
    b"# EOF",
    b"1",
    b"NaN",
    b"e",
    b"\xff",
    b"#",
]


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(SCRAPS), max_size=60).map(b"".join)))
def test_no_body_raises(body: bytes) -> None:
    """Whatever comes back ends in samples or in a reason."""
    assert isinstance(read(body), MetricsSnapshot | MetricsUnreadable)


@pytest.mark.parametrize(
    "unit",
    [
        b"\\",
        b'"',
        b"{",
        b'{a="',
        b'a{b="c"} 1\n',
        b'a="b",',
        b"#",
        b"9",
        b" ",
        b"\n",
        b"a 1\n",
        b"\xff",
        b"# TYPE a b\n",
    ],
)
def test_a_megabyte_of_anything_ends_soon(unit: bytes) -> None:
    """No body makes the check hang; its deadline is the network's, not the reader's."""
    body = unit * (LIMIT_BYTES // len(unit) - 1)
    started_s = time.process_time()
    for whole in (body, b"a{" + body[:-8], b'a{b="' + body[:-8]):
        read(whole[:LIMIT_BYTES])
    assert time.process_time() - started_s < 15
