"""How long orders take in the service itself, by what a service tells of it, sound or not."""

import pytest

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.metrics import Sample
from tasks.rules.diagnosis.service_latency import service_latencies
from tests.fakes.incident.observations import NOW, metrics, observation
from tests.fakes.incident.past import ago, past, with_past


def told(count: float, seconds_s: float, started_s: float) -> dict[str, float]:
    """What the histograms and the process say."""
    return {"order_seconds_count": count, "order_seconds_sum": seconds_s, "process_start_time_seconds": started_s}


def seen(before: dict[str, float], now: dict[str, float]) -> Evidence:
    """One run before, and this one."""
    samples = tuple(Sample(name=name, labels=(), value=value) for name, value in now.items())
    latest = observation(metrics=metrics().model_copy(update={"samples": samples}))
    return with_past((latest,), history=(past(1, counters=before),))


def test_a_process_that_started_anew_is_measured_since_then() -> None:
    """Its counters began at zero."""
    started = ago(0.5)

    (found,) = service_latencies(seen(told(100, 10, 1_000_000.0), told(10, 0.5, started.timestamp())))

    assert (found.since, found.until, found.own_ms) == (started, NOW, pytest.approx(50))


@pytest.mark.parametrize("started_s", [1.7e12, 1e18, 1e300, -1.0, 0.0, NOW.timestamp() + 3600])
def test_a_start_that_no_process_can_have_had_is_not_believed(started_s: float) -> None:
    """A start in milliseconds is a date in the year 55,840; the diagnosis goes on without it (FAULTS 27)."""
    (found,) = service_latencies(seen(told(100, 10, 1_000_000.0), told(110, 10.5, started_s)))

    assert found.since == ago(1)
    assert found.own_ms == pytest.approx(50)
