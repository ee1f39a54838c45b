"""What is recognized of a service that nobody has described: only what is plain."""

import tomllib
from datetime import UTC, datetime

import pytest

from tasks.clients.service.exposition import read_exposition
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.probes.health import judge_health
from tasks.rules.service.first_description import FirstAnswers, first_description
from tasks.rules.service.health_dialects import health_dialect
from tasks.rules.service.metric_dialects import metric_dialects
from tasks.settings import RunbookSettings

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


def answer(body: str, status: int = 200, fault: Fault = Fault.NONE) -> Exchange:
    """One answer of a service."""
    return Exchange(method="GET", url="http://s/x", http_status=status, body=body, fault=fault)


@pytest.mark.parametrize(
    ("healthy", "unhealthy"),
    [
        ('{"status": "UP", "components": {"XNAS": {"status": "UP"}}}', '{"status": "DOWN"}'),
        ('{"status": "Healthy", "entries": {}}', '{"status": "Unhealthy"}'),
        ('{"status": "pass", "checks": {"db:t": [{"componentId": "db", "status": "pass"}]}}', '{"status": "fail"}'),
        ('{"status": "ok"}', '{"status": "error"}'),
        ('{"ok": true}', '{"ok": false}'),
        ('{"state": "running"}', '{"state": "stopping"}'),
        ("OK\n", "FAULT"),
        ("Healthy", "Unhealthy"),
        ('"UP"', '"DOWN"'),
    ],
)
def test_a_dialect_is_healthy_by_its_own_word_alone(healthy: str, unhealthy: str) -> None:
    """The keys that are written pass the answer that was seen, and fail the one that says otherwise."""
    dialect = health_dialect(answer(healthy))
    assert dialect
    text = first_description("s", FirstAnswers("http://s", "/x", dialect)).text
    described = RunbookSettings(**tomllib.loads(text)).service("s").health

    seen = [judge_health(answer(body), NOW, described).seen.value for body in (healthy, unhealthy)]
    assert seen == ["passed", "failed"]


@pytest.mark.parametrize("body", ['{"status": "DOWN"}', '{"status": "Unhealthy"}', '{"status": "fail"}', "Unhealthy"])
def test_a_family_is_known_by_its_bad_words_too(body: str) -> None:
    """A service that is sick today is described by what it says when it is well."""
    assert health_dialect(answer(body, 503))


@pytest.mark.parametrize(
    "seen",
    [
        answer('{"engine": "running"}'),
        answer("<html>OK</html>"),
        answer(""),
        answer("[]"),
        answer('{"status": {"a": 1}}'),
        answer('{"state": "it is \' all fine"}'),
        answer("OK", 404),
        answer("OK", fault=Fault.CUT_OFF),
        answer("[" * 100_000),
    ],
)
def test_what_is_not_plain_is_not_recognized(seen: Exchange) -> None:
    """A page of a proxy is no health, and a word of nobody's no condition."""
    assert health_dialect(seen) is None


def read(text: str) -> MetricsSnapshot:
    """One exposition."""
    found = read_exposition(text.encode(), NOW)
    assert isinstance(found, MetricsSnapshot)
    return found


def test_a_count_of_orders_is_found_with_its_labels_and_values() -> None:
    """As Micrometer and OpenTelemetry name them; a value that nobody knows is left to a person."""
    (found,) = metric_dialects(
        read('oms_orders_processed_total{order_asset="fx",order_outcome="Filled",venue="A"} 1\n'
             'oms_orders_processed_total{order_asset="fx",order_outcome="Zapped",venue="A"} 1\n')
    )  # fmt: skip

    assert (found.ours, found.name) == ("orders_total", "oms_orders_processed_total")
    assert found.labels == {"asset_class": "order_asset", "outcome": "order_outcome", "gateway": "venue"}
    assert (found.values, found.unknown_values) == ({"outcome": {"Filled": "filled"}}, ("Zapped",))


def test_several_counts_are_for_a_person_to_choose() -> None:
    """The wrong one would name deploy regressions that are none."""
    dialects = metric_dialects(read("orders_sent_total 1\norders_routed_total 1\norder_seconds_count 3\n"))
    text = first_description("s", FirstAnswers("http://s", metrics_path="/metrics", metrics=dialects)).text

    assert len(dialects) == 2
    assert "which of these is orders_total?" in text
    assert "names" not in tomllib.loads(text)["services"]["s"]["metrics"]


def test_every_line_to_fill_in_is_a_comment_and_what_it_comments_is_valid() -> None:
    """A person takes the signs away, and the file still loads."""
    text = first_description("a-b", FirstAnswers('http://s/"', health_said='said "\n[x]')).text
    bare = [line.removeprefix("# ") for line in text.splitlines() if "FILL IN" not in line and "…" not in line]

    assert tomllib.loads(text)["services"]["a-b"]["base_url"] == 'http://s/"'
    assert "orders" in tomllib.loads("\n".join(bare))["services"]["a-b"]
