"""The metrics of any service: in our words as its description says, and a bad line costs no more than itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.clients.service.metrics import read_metrics
from tasks.model.probes.metrics import MetricsSnapshot, OddityCode
from tasks.model.probes.probes import Exchange, MetricsProbe, Seen
from tasks.model.service.metrics_settings import MetricsSettings
from tasks.rules.probes.metrics import judge_metrics
from tasks.settings import ServiceSettings

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
FRAMED = (("content-length", "1"),)
NAMES = {
    "orders_total": {
        "name": "oms_orders_submitted_total",
        "labels": {"asset_class": "product", "outcome": "result"},
        "values": {"outcome": {"done": "filled", "part": "filled", "ko": "rejected"}, "asset_class": {"EQ": "equity"}},
    },
    "gateway_up": {"name": "oms_venue_connected", "labels": {"gateway": "venue"}},
    "process_cpu_seconds_total": {"name": "process_cpu_time_ns_total", "factor": 1e-9},
    "orders_unknown": "oms_pending",
}
PAGE = """# TYPE oms_orders_submitted_total counter
oms_orders_submitted_total{application="oms",product="EQ",result="done",} 5.0
oms_orders_submitted_total{application="oms",product="EQ",result="part",} 2.0
oms_orders_submitted_total{application="oms",product="EQ",result="ko",} 1.0
orders_total{mail="sent"} 99
oms_venue_connected{venue="XNAS"} 1
oms_venue_connected{venue="XNYS"} 0
oms_pending 3
process_cpu_time_ns_total 2500000000
process_resident_memory_bytes 8.8080384E7
process_open_fds 40
process_max_fds NaN
process_start_time_seconds 1.7645e9
"""


def read(page: str, names: object = None, headers: tuple[tuple[str, str], ...] = FRAMED) -> MetricsSnapshot:
    """Read a page that can be read."""
    service = ServiceSettings(metrics=MetricsSettings.model_validate({"names": names or {}}))
    found = read_metrics(Exchange(method="GET", url="x", http_status=200, body=page, headers=headers), NOW, service)
    assert isinstance(found, MetricsSnapshot), found
    return found


def judged(page: str, names: object = None, headers: tuple[tuple[str, str], ...] = FRAMED) -> MetricsProbe:
    """Judge a page."""
    return judge_metrics(read(page, names, headers), NOW)


def test_metrics_are_read_by_their_own_names_labels_and_values() -> None:
    """Two of their words for a fill add up; a metric that happens to be called like ours is another one."""
    probe = judged(PAGE, NAMES)

    assert (probe.seen, probe.orders_count, probe.orders_unknown_count) == (Seen.PASSED, 8, 3)
    assert probe.orders_by_outcome == {"filled": 7, "rejected": 1}
    assert probe.gateways_up == {"XNAS": True, "XNYS": False}
    assert {dict(one.labels)["asset_class"] for one in probe.samples if one.name == "orders_total"} == {"equity"}


def test_the_standard_metrics_say_how_the_process_is_and_nan_is_not_known() -> None:
    """A limit of NaN is no limit of zero."""
    process = judged(PAGE, NAMES).process

    assert process is not None
    assert (process.memory_bytes, process.open_files_count, process.open_files_limit) == (88_080_384, 40, None)
    assert process.cpu_time_s == pytest.approx(2.5)
    assert process.started_at == datetime(2025, 11, 30, 10, 53, 20, tzinfo=UTC)


def test_one_bad_line_is_named_and_the_rest_is_read() -> None:
    """A native histogram, or a label with a stray quote, is no reason to see nothing."""
    bad = 'latency_seconds {count:3,sum:1.5,schema:0}\nb{c="d"e"} 2\n'
    page = f'a 1\norders_unknown 0\n{bad}gateway_up{{gateway="X"}} 1\n'
    probe = judged(page)

    assert (probe.seen, probe.orders_unknown_count, probe.gateways_up) == (Seen.PASSED, 0, {"X": True})
    assert "2 lines were not readable and left out, the first is line=3 'latency_seconds" in probe.detail
    assert [one.code for one in read(page).oddities] == [OddityCode.BAD_LINE] * 2


def test_a_sum_with_a_line_that_was_lost_is_not_known_and_nothing_is_compared() -> None:
    """When the line comes back in the next run, its whole count would look like new orders."""
    good = 'orders_total{outcome="filled"} 5\norders_total{outcome="denied"} 5\n'
    probe = judged(good + 'orders_total{outcome="rejected} 700\n')

    assert (probe.seen, probe.orders_count, probe.samples) == (Seen.PASSED, None, ())
    assert judged(good).orders_count == 10
    assert [one.value for one in judged(f"{good}orders_denied_total NaN\nother_total 1\n").samples] == [5, 5]


def test_a_page_that_ends_in_the_middle_has_lost_what_would_follow() -> None:
    """Where its length was said, it came whole, and only the last line is in doubt."""
    page = 'orders_total{outcome="filled"} 5\norders_unknown 0\nlast_thing 1'

    assert (judged(page, headers=()).orders_count, judged(page, headers=()).orders_unknown_count) == (None, None)
    assert (judged(page).orders_count, judged(page).orders_unknown_count) == (5, 0)


@given(st.lists(st.sampled_from(["filled", "done", "ko", "x"]), max_size=6), st.sampled_from([1.0, 0.5]))
def test_no_order_is_lost_or_counted_twice_by_the_mapping(results: list[str], factor: float) -> None:
    """Whatever their words are, and wherever two of them are one of ours."""
    lines = [f'their_total{{result="{result}",n="{number}"}} 2\n' for number, result in enumerate(results)]
    names = {
        "orders_total": {
            "name": "their_total",
            "labels": {"outcome": "result"},
            "values": {"outcome": {"done": "filled", "ko": "rejected"}},
            "factor": factor,
        }
    }
    probe = judged("up 1\n" + "".join(lines), names)

    assert (probe.orders_count or 0) == 2 * factor * len(results)
    filled = sum(result in {"filled", "done"} for result in results)
    assert probe.orders_by_outcome.get("filled", 0) == 2 * factor * filled


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"names": {"ordrs_total": "x"}}, "was ordrs_total"),
        ({"names": {"orders_total": {"name": "x", "values": {"outcome": {"a": "filled"}}}}}, "need its label"),
        ({"path": "metrics"}, "begins with a slash"),
    ],
)
def test_a_description_that_nothing_would_read_is_refused(table: dict[str, object], said: str) -> None:
    """A typing error would leave orders uncounted without a word."""
    with pytest.raises(ValidationError, match=said):
        MetricsSettings.model_validate(table)
