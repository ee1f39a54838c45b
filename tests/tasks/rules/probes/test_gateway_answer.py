"""How a gateway's own health reads, in whatever dialect it answers; and that no wording pauses a class that fills."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Exchange, Fault, GatewayProbe, OrderOutcome, OrderProbe, Seen
from tasks.rules.diagnosis.causes.gateway_signs import signs_of
from tasks.rules.diagnosis.causes.unexplained import symptoms
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.probes.gateway import judge_gateway
from tests.fakes.incident.observations import NOW, health, observation, order, three


def answer(body: str = "", status: int | None = 200, fault: Fault = Fault.NONE, seconds_s: float = 0.001) -> Exchange:
    """One exchange with a gateway."""
    return Exchange(
        method="GET", url="http://xnas/health", http_status=status, body=body, fault=fault, seconds_s=seconds_s
    )


@pytest.mark.parametrize(
    "body",
    [
        '{"status":"ok"}', '{"status": "ok"}  \r\n', '{"status":"OK"}', '{"status":"ok "}', '{"status":"Healthy"}',
        '{"status":"UP","components":{"db":{"status":"UP"}}}', '{"status":"pass","version":"1"}', "OK", "Healthy", "",
        " \n", '"ok"', '{"status":true}', '{"status":200}', '{"healthy":true}', '\ufeff{"status":"ok"}', "true",
    ],
)  # fmt: skip
def test_a_gateway_that_calls_itself_well_in_its_own_words_passes(body: str) -> None:
    """Frameworks and venues have a dozen words for it, and an empty 200 is one of them."""
    assert judge_gateway(answer(body)).seen is Seen.PASSED


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_empty_answer_that_is_a_success_passes(status: int) -> None:
    """204 has no body by its very definition."""
    assert judge_gateway(answer(status=status)).seen is Seen.PASSED


@pytest.mark.parametrize("status", [300, 301, 307, 308, 401, 403, 404, 405, 429, 499])
def test_a_gateway_that_answers_something_else_answers_and_no_more_is_known(status: int) -> None:
    """A login, a redirect, no such path or a rate limit says nothing of its orders, neither good nor bad."""
    found = judge_gateway(answer('{"status":"error"}', status))

    assert (found.seen, found.fault) == (Seen.NOT_CONFIGURED, Fault.NONE)
    assert f"it answers, http_status={status}" in found.detail


@pytest.mark.parametrize(
    "body",
    ['{"data":{"status":"ok"}}', "<html>Login</html>", '{"status":"initializing"}', "[]", "3.5", "x" * 4000, "{"],
)
def test_a_word_that_nobody_knows_is_not_known(body: str) -> None:
    """What is not known to be good is not good, and what is not known to be bad pauses nothing."""
    assert judge_gateway(answer(body)).seen is Seen.NOT_CONFIGURED


@pytest.mark.parametrize("body", ['{"status":"DOWN"}', "unhealthy", '{"ok":false}', '{"status":0}'])
def test_a_gateway_that_calls_itself_down_fails(body: str) -> None:
    """Its own word against itself is believed."""
    found = judge_gateway(answer(body))

    assert (found.seen, found.fault) == (Seen.FAILED, Fault.BAD_STATUS)


@pytest.mark.parametrize("status", [500, 503, 599])
def test_a_gateway_with_an_error_of_its_own_fails(status: int) -> None:
    """500 and above say that it cannot."""
    assert judge_gateway(answer("OK", status)).fault is Fault.BAD_STATUS


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.UNREACHABLE, Fault.TIMED_OUT, Fault.CUT_OFF, Fault.MALFORMED])
def test_a_gateway_that_does_not_answer_fails_with_how(fault: Fault) -> None:
    """The page says whether the port was closed or nobody spoke."""
    assert judge_gateway(answer(status=None, fault=fault))[::2] == (Seen.FAILED, fault)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [(Fault.TIMED_OUT, Seen.FAILED), (Fault.CUT_OFF, Seen.FAILED), (Fault.TOO_LARGE, Seen.NOT_CONFIGURED)],
)
def test_an_answer_that_breaks_off_is_none_and_one_that_is_too_long_is_one(fault: Fault, seen: Seen) -> None:
    """Who drips or breaks off is ill; who says too much is there."""
    assert judge_gateway(answer('{"status":"ok"}', fault=fault)).seen is seen


def test_a_probe_that_we_could_not_make_is_blind() -> None:
    """Our own failure says nothing of the gateway."""
    assert judge_gateway(answer(status=None, fault=Fault.CLIENT)).seen is Seen.BLIND


def probe(body: str = "", status: int | None = 200, fault: Fault = Fault.NONE, latency_ms: float = 1.0) -> GatewayProbe:
    """The direct probe that such an answer gives."""
    found = judge_gateway(answer(body, status, fault, latency_ms / 1000))
    return GatewayProbe(gateway="XNAS", looked_at=NOW, latency_ms=latency_ms, **found._asdict())


ODD = [
    probe('{"status":"DOWN"}'), probe(status=204), probe(status=401), probe(status=404), probe(status=307),
    probe(status=429), probe(status=405), probe("UP"), probe(status=503), probe(status=None, fault=Fault.REFUSED),
]  # fmt: skip


def filled(gateway_ms: float | None = 2.0) -> OrderProbe:
    """An order that was filled there."""
    return order().model_copy(update={"gateway_latency_ms": gateway_ms})


def sign(look: GatewayProbe, *orders: OrderProbe, dependency: DependencyStatus | None = None) -> Kind | None:
    """What is wrong with the gateway in three observations."""
    told = health().model_copy(update={"dependencies": (dependency,) if dependency else ()})
    return signs_of(three(gateways=(look,), orders=orders or (filled(),), health=told)).get("XNAS")


@pytest.mark.parametrize("look", ODD)
def test_a_gateway_where_orders_fill_is_never_slow_or_unreachable_by_its_healths_wording(look: GatewayProbe) -> None:
    """Its class would be paused, and every order that it fills proves it well."""
    assert sign(look) is None
    assert sign(look, dependency=DependencyStatus(name="XNAS", status="down", error="health answered 404")) is None
    assert sign(look, dependency=DependencyStatus(name="XNAS", status="degraded", latency_ms=1.0)) is None
    evidence = three(gateways=(look,), orders=(filled(),))
    assert not name_cause(evidence).has(Cause.GATEWAY_FAILING)


@pytest.mark.parametrize("look", [probe(status=401), probe(status=404), probe(status=204), probe("UP"), probe("Hi")])
def test_an_odd_health_alone_is_no_symptom(look: GatewayProbe) -> None:
    """Nobody is paged each minute because a gateway asks for a login."""
    assert symptoms(observation(gateways=(look,), orders=(filled(),))) == ()


LOST = order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "GATEWAY_UNREACHABLE"})


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (probe(status=None, fault=Fault.REFUSED), Kind.UNREACHABLE),
        (probe(status=503), Kind.UNREACHABLE),
        (probe('{"status":"DOWN"}'), Kind.UNREACHABLE),
        (probe(status=404), None),
        (probe("UP"), None),
    ],
)
def test_a_gateway_where_nothing_fills_is_judged_by_its_health(look: GatewayProbe, kind: Kind | None) -> None:
    """Then its own word is all there is; and one that only answers oddly is not the one to blame."""
    assert sign(look, LOST) is kind


@pytest.mark.parametrize(
    ("look", "orders", "kind"),
    [
        (probe("OK", latency_ms=499.0), (filled(),), None),
        (probe("OK", latency_ms=500.0), (filled(),), Kind.LATENCY),
        (probe(status=404, latency_ms=500.0), (filled(),), Kind.LATENCY),
        (probe(status=503, latency_ms=500.0), (filled(),), Kind.LATENCY),
        (probe("OK"), (filled(500.0),), Kind.LATENCY),
        (probe("OK"), (filled(499.0),), None),
        (probe(status=None, fault=Fault.TIMED_OUT, latency_ms=4000.0), (filled(),), None),
        (probe(status=None, fault=Fault.TIMED_OUT, latency_ms=4000.0), (filled(None),), Kind.LATENCY),
        (probe(status=None, fault=Fault.UNREACHABLE, latency_ms=1000.0), (filled(),), None),
    ],
)
def test_only_a_latency_above_the_limit_makes_a_gateway_slow(
    look: GatewayProbe, orders: tuple[OrderProbe, ...], kind: Kind | None
) -> None:
    """Where orders are measured they decide; a health port that a firewall drops is not a slow venue."""
    assert sign(look, *orders) is kind


@pytest.mark.parametrize(
    ("status", "latency_ms", "kind"),
    [
        ("degraded", 49.0, None),
        ("degraded", 50.0, Kind.LATENCY),
        ("slow", 300.0, Kind.LATENCY),
        ("ok", 300.0, None),
        ("degraded", None, None),
    ],
)
def test_the_service_may_call_a_gateway_slow_by_a_limit_of_its_own(
    status: str, latency_ms: float | None, kind: Kind | None
) -> None:
    """Its limit may be stricter than ours, and needs a number that can be slow to somebody."""
    dependency = DependencyStatus(name="XNAS", status=status, latency_ms=latency_ms)

    assert sign(probe("OK"), filled(), dependency=dependency) is kind
