"""A change since which orders are slow: when it shows at this moment."""

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.diagnosis import Kind
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.rules.diagnosis.causes.releases import shows_now
from tests.fakes.incident.observations import order
from tests.fakes.incident.past import filled, past, released, rounds, with_past

EQUITY = AssetClass.EQUITY


def slow_now(own_ms: float, *history: PastObservation, changes: tuple[Change, ...]) -> bool:
    """Say whether slowness shows at this moment, where our orders take so long in the service itself."""
    took = order(EQUITY).model_copy(update={"latency_ms": own_ms, "gateway_latency_ms": 0.0})
    return shows_now(with_past(rounds(orders=(took,)), history=history, changes=changes), {Kind.LATENCY})


def test_slowness_shows_above_the_limit_of_what_was_usual_before_the_change() -> None:
    """At the limit it is not slow; where nothing was measured before, nothing is usual."""
    change = released(4.5)

    assert slow_now(15.1, past(6), past(5), changes=(change,))
    assert not slow_now(15.0, past(6), past(5), changes=(change,))
    assert not slow_now(50.0, past(4.5), changes=(change,))


def test_slowness_shows_where_it_is_slow_by_any_change_that_may_be_blamed() -> None:
    """A feature that was set in the middle of it has seen nothing but slow orders before."""
    slow = (filled(EQUITY).model_copy(update={"own_ms": 50.0}),)
    history = (past(12), past(11), *(past(minutes, orders=slow) for minutes in (9, 8, 7, 6)))
    feature = released(5, kind=ChangeKind.FEATURE, key="netting", by="ann")

    assert slow_now(50.0, *history, changes=(released(10), feature))
    assert not slow_now(50.0, *history, changes=(feature,))
