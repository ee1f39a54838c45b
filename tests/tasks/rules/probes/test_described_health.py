"""The health of any service: read as its description says, and what is not known to be good is not good."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.model.probes.probes import Exchange, HealthProbe, Seen
from tasks.model.service.health_settings import HealthSettings
from tasks.rules.probes.dependencies import read_dependencies
from tasks.rules.probes.health import judge_health, serves

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
SPRING = HealthSettings(
    path="/actuator/health",
    healthy_when="status == 'UP'",
    degraded_when="status == 'DEGRADED'",
    dependencies="components",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8) | st.sampled_from(["ok", "DOWN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["status", "a", "name"]), inner),
    max_leaves=8,
)


def judged(body: Any, described: HealthSettings, http_status: int = 200) -> HealthProbe:
    """Judge one answer."""
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return judge_health(Exchange(method="GET", url="x", http_status=http_status, body=text), NOW, described)


def test_spring_actuator_is_read_with_its_components() -> None:
    """A component that is down is named, whatever the word for it."""
    components = {"XNAS": {"status": "DOWN", "details": {}}, "db": {"status": "UP"}, "odd": {"status": "WOBBLY"}}
    up, down = judged({"status": "UP"}, SPRING), judged({"status": "DOWN", "components": components}, SPRING, 503)

    assert (up.seen, up.status, "status=UP in" in up.detail) == (Seen.PASSED, "ok", True)
    assert (down.seen, down.status) == (Seen.FAILED, "DOWN")
    assert {one.name: one.status for one in down.dependencies} == {"XNAS": "down", "db": "ok", "odd": "WOBBLY"}


def test_what_is_healthy_and_degraded_at_once_is_degraded() -> None:
    """Two conditions of a description may both be true; the one that says less is believed."""
    both = HealthSettings(healthy_when="status == 'UP'", degraded_when="length(down) > `0`")

    seen = judged({"status": "UP", "down": ["XNAS"]}, both)
    assert (seen.status, seen.detail) == (
        "degraded",
        "http_status=200 status=UP, healthy_when and degraded_when are both true",
    )
    assert judged({"status": "UP", "down": []}, both).seen is Seen.PASSED


def test_a_service_that_calls_itself_degraded_serves_and_has_not_passed() -> None:
    """Its orders decide what is wrong; a start that ends so has ended."""
    probe = judged({"status": "DEGRADED"}, SPRING)

    assert (probe.seen, probe.status, serves(probe)) == (Seen.FAILED, "degraded", True)


def test_health_checks_of_aspnet_and_health_json_are_read() -> None:
    """`entries` with exceptions, and `checks` that are lists."""
    dotnet = HealthSettings(healthy_when="status == 'Healthy'", dependencies="entries")
    entries = {"CBOE": {"status": "Unhealthy", "exception": "refused"}, "self": {"status": "Healthy"}}
    draft = HealthSettings(healthy_when="status == 'pass'", dependencies="checks")
    checks = {"db:time": [{"status": "pass"}, {"status": "warn"}], "venue": [{"status": "pass"}]}

    found = judged({"status": "Degraded", "entries": entries}, dotnet).dependencies
    assert [(one.name, one.status, one.error) for one in found] == [("CBOE", "down", "refused"), ("self", "ok", None)]
    found = judged({"status": "pass", "checks": checks}, draft).dependencies
    assert {one.name: one.status for one in found} == {"db:time": "degraded", "venue": "ok"}


def test_plain_text_is_matched_and_what_does_not_match_is_an_answer_all_the_same() -> None:
    """A desk's own `OK`; whoever answers something else is not gone."""
    plain = HealthSettings(path="/ping", body_matches="^OK")

    assert judged("OK\n", plain).seen is Seen.PASSED
    broken = judged("NO BROKER\n", plain)
    assert (broken.seen, broken.status) == (Seen.FAILED, "error")
    assert "health.body_matches" in broken.detail


@pytest.mark.parametrize(
    ("described", "body", "said"),
    [
        (HealthSettings(), {"state": "ok"}, "malformed: http_status=200, no JSON object with a status"),
        (HealthSettings(), {"status": "fine"}, "http_status=200 status=fine"),
        (SPRING, {"state": "UP"}, "http_status=200 no status"),
        (HealthSettings(healthy_when="a"), {"status": "fine"}, "status=fine, health.healthy_when gave neither"),
    ],
)
def test_what_is_not_healthy_is_told_in_the_words_of_the_answer(
    described: HealthSettings, body: dict[str, str], said: str
) -> None:
    """A person looks for the word that the service said, or learns that it said none."""
    probe = judged(body, described)

    assert (probe.seen, said in probe.detail) == (Seen.FAILED, True)
    assert probe.status == body.get("status", None if described == HealthSettings() else "error")


@pytest.mark.parametrize(
    ("condition", "body"),
    [
        ("queue < `5`", {}),
        ("queue < `5`", {"queue": "3"}),
        ("components", {"components": [1]}),
        ("status", {"status": "UP"}),
        ("to_number(age) < `9` && alive", {"age": "1", "alive": "yes"}),
        ("length(status) > `0`", {"status": 5}),
    ],
)
def test_a_condition_that_gives_neither_true_nor_false_is_not_healthy(condition: str, body: dict[str, Any]) -> None:
    """Nothing, a text, a list or a number is not yes."""
    probe = judged(body, HealthSettings(healthy_when=condition))

    assert probe.seen is Seen.FAILED
    assert "neither true nor false" in probe.detail


@given(JSON, st.sampled_from([200, 204, 301, 404, 500, 503]))
def test_only_what_is_true_of_a_good_status_passes(body: Any, status: int) -> None:
    """Whatever comes back."""
    described = HealthSettings(healthy_when="status", degraded_when="a", status_codes=(200, 204))
    probe = judged(body, described, status)
    is_true = isinstance(body, dict) and body.get("status") is True

    assert (probe.seen is Seen.PASSED) == (is_true and status in {200, 204})
    assert probe.seen is not Seen.PASSED or probe.status == "ok"


@pytest.mark.parametrize("http_status", [401, 403])
def test_a_login_of_ours_that_was_refused_is_blind(http_status: int) -> None:
    """A token that rotated without us says nothing of the service; without a login it is the service that refuses."""
    answer = Exchange(method="GET", url="x", http_status=http_status, body="{}")
    refused = judge_health(answer, NOW, SPRING, logs_in=True)

    assert (refused.seen, "our login was refused" in refused.detail) == (Seen.BLIND, True)
    assert judge_health(answer, NOW, SPRING).seen is Seen.FAILED


@given(JSON)
def test_whatever_a_service_says_of_its_dependencies_is_read_or_left_out(body: Any) -> None:
    """Nothing raises, and nothing is without a name and a word."""
    assert all(one.name and one.status for one in read_dependencies(body))


def test_release_and_start_are_read_where_they_stand() -> None:
    """The start tells a restart, the release a deploy."""
    described = HealthSettings(healthy_when="up", release="build.version", started_at="build.at")
    probe = judged({"up": True, "build": {"version": "4.2.0", "at": 1_764_500_000}}, described)

    assert (probe.release, probe.started_at) == ("4.2.0", datetime(2025, 11, 30, 10, 53, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("path", "actuator", "begins with a slash"),
        ("path", "http://user:secret@h/health", "begins with a slash"),
        ("path", "/a b", "percent-encoded"),
        ("healthy_when", "status = 'UP'", "JMESPath"),
        ("body_matches", "(?=x)", "RE2"),
        ("status_codes", [], "at least 1"),
        ("status_codes", [20], "greater than or equal to 100"),
    ],
)
def test_a_bad_description_is_refused_with_what_was_expected(key: str, value: object, said: str) -> None:
    """At the start, and not at 3 a.m."""
    with pytest.raises(ValidationError, match=said):
        HealthSettings.model_validate({key: value})


def test_text_and_conditions_are_not_asked_for_together() -> None:
    """Nobody has to know which of them decides."""
    with pytest.raises(ValidationError, match="keep one of them"):
        HealthSettings(body_matches="OK", healthy_when="status == 'UP'")
