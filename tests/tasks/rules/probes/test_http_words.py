"""What an answer that is no good one says, in words of its own."""

import pytest

from tasks.model.probes.probes import Exchange, HealthProbe, Seen
from tasks.rules.probes.health import judge_health
from tasks.rules.probes.metrics import judge_metrics, metrics_fault
from tests.fakes.incident.observations import NOW


def judged(status: int, body: str = "", **headers: str) -> HealthProbe:
    """How an answer of `GET /health` reads."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return judge_health(Exchange(method="GET", url="http://s/", http_status=status, body=body, headers=pairs), NOW)


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (307, {"Location": "/ok/health"}, ("redirect to /ok/health", "base_url")),
        (301, {}, ("redirect to nowhere",)),
        (429, {"Retry_After": "30"}, ("asked too often", "again in 30 s")),
        (503, {"Retry_After": "5"}, ("cannot serve", "again in 5 s")),
        (503, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, ("again at Wed, 21 Oct 2026 07:28:00 GMT",)),
        (503, {}, ("cannot serve",)),
        (401, {}, ("login",)),
        (204, {}, ("answers with nothing",)),
        (404, {}, ("no such path",)),
    ],
)
def test_each_refusal_has_words_of_its_own(status: int, headers: dict[str, str], words: tuple[str, ...]) -> None:
    """ "Malformed" sends a person to the wrong place."""
    look = judged(status, **headers)

    assert look.seen is Seen.FAILED
    assert f"http_status={status}" in look.detail
    assert all(word in look.detail for word in words)
    assert "malformed" not in look.detail


def test_a_status_in_a_refusal_is_told_too() -> None:
    """A 503 with `error` says both."""
    look = judged(503, '{"status":"error"}')

    assert look.status == "error"
    assert "status=error" in look.detail


def test_a_retry_after_beside_a_good_answer_is_no_refusal() -> None:
    """Only 200 and `ok` pass, and they do."""
    assert judged(200, '{"status":"ok"}', Retry_After="5").seen is Seen.PASSED


def test_a_byte_order_mark_is_no_fault() -> None:
    """Some frameworks write one before their JSON; the service is well."""
    assert judged(200, '\ufeff{"status":"ok"}').seen is Seen.PASSED
    assert judged(200, '\ufeff{"status":"error"}').seen is Seen.FAILED


def test_the_metrics_say_it_in_the_same_words() -> None:
    """One cause, one wording."""
    answer = Exchange(method="GET", url="http://s/metrics", http_status=302, headers=(("Location", "/login"),))
    look = metrics_fault(answer, NOW)

    assert look is not None
    assert "redirect to /login" in look.detail
    assert judge_metrics.__doc__
