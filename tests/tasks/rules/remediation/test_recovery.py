"""Whether a service is well again: health, test orders, and what the service itself counts of real ones."""

import pytest

from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, MetricsProbe, Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.remediation.recovery import has_recovered
from tests.fakes.incident.observations import NOW, gateway, health, metrics, observation, order, process


def counting(after_s: float, filled: int, failed: int) -> Observation:
    """A round at a service that has counted so many orders by now."""
    samples = tuple(
        Sample(name="orders_total", labels=(("asset_class", "equity"), ("outcome", outcome)), value=float(count))
        for outcome, count in (("filled", filled), ("error", failed))
    )
    look = MetricsProbe(seen=Seen.PASSED, detail="read", looked_at=NOW, samples=samples)
    seen = observation(after_s, metrics=look)
    return seen.model_copy(update={"metrics": look.model_copy(update={"looked_at": seen.looked_at})})


def test_a_service_that_answers_and_fills_has_recovered() -> None:
    """Health and every test order: that is what a client has of it."""
    assert has_recovered(observation()).good


@pytest.mark.parametrize(
    "changes",
    [
        {"health": health(Fault.TIMED_OUT)},
        {"orders": (order(outcome=OrderOutcome.TIMED_OUT), order(AssetClass.FX))},
        {"process": process(ProcessState.STOPPED)},
    ],
    ids=["health", "one class", "process"],
)
def test_one_thing_wrong_is_no_recovery(changes: dict[str, object]) -> None:
    """Rule 10: the on-call is notified of a recovery only when it is one."""
    assert not has_recovered(observation(**changes)).good


def test_a_gateway_that_is_gone_excuses_its_own_orders_only() -> None:
    """The restart has done what it can; the gateway is another action's."""
    gone = {"gateways": (gateway("XNAS", Seen.FAILED), gateway("FXALL"))}
    equity, fx = order(outcome=OrderOutcome.DENIED), order(AssetClass.FX, OrderOutcome.DENIED)

    assert has_recovered(observation(orders=(equity, order(AssetClass.FX)), **gone)).good
    assert not has_recovered(observation(orders=(equity, fx), **gone)).good


@pytest.mark.parametrize(("filled", "failed", "good"), [(70, 30, False), (100, 2, True), (997, 3, True), (0, 3, False)])
def test_real_orders_that_fail_meanwhile_are_no_recovery(filled: int, failed: int, good: bool) -> None:
    """Four test orders pass often enough where a third of all orders fail."""
    first = counting(0, filled=1000, failed=400)
    now = counting(10, filled=1000 + filled, failed=400 + failed)

    assert has_recovered(now, first).good is good


def test_errors_of_before_do_not_count() -> None:
    """The counters of a process that was not restarted still hold what the action has ended."""
    assert has_recovered(counting(0, filled=10, failed=400)).good


def test_a_service_that_counts_nothing_is_judged_by_its_test_orders() -> None:
    """Missing data is not failure either."""
    assert has_recovered(observation(10, metrics=metrics(Seen.FAILED)), observation()).good
