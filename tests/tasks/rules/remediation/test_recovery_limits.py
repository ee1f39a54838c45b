"""When one pass of checks shows a service that has recovered, to the order."""

import pytest

from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, HealthProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.remediation.recovery import has_recovered, is_lost
from tests.fakes.incident.cases import routing
from tests.fakes.incident.observations import Fault, blind_health, gateway, health, metrics, observation, order, process

FAILED = order(outcome=OrderOutcome.REJECTED)
DEAD = (gateway("XNAS", Seen.FAILED), gateway("FXALL"))
DEGRADED = health(status="degraded")
MARKED = DEGRADED.model_copy(
    update={"dependencies": (DependencyStatus(name="XNAS", status="degraded", set_to="degraded"),)}
)
HALTED = routing(routes=tuple(one.model_copy(update={"trading_state": "halted"}) for one in routing().routes))
DENIED = order(outcome=OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})


def test_a_healthy_round_says_how_many_orders_were_delivered() -> None:
    """The message of a recovery quotes it."""
    verdict = has_recovered(observation())

    assert (verdict.good, verdict.detail) == (True, "health ok, 2 synthetic orders delivered")


@pytest.mark.parametrize(
    ("state", "good"),
    [
        (ProcessState.RUNNING, True),
        (ProcessState.BLIND, True),
        (ProcessState.STOPPED, False),
        (ProcessState.DEAD, False),
        (ProcessState.NOT_OURS, False),
    ],
)
def test_a_process_that_is_not_there_has_not_recovered(state: ProcessState, good: bool) -> None:
    """Whoever answers on its port then is a stranger; where nobody could look, the answers decide."""
    assert has_recovered(observation(process=process(state))).good is good


@pytest.mark.parametrize(
    ("told", "gateways", "good"),
    [
        (health(status="error"), DEAD, False),
        (health(Fault.TIMED_OUT), (), False),
        (blind_health(), (), False),
        (DEGRADED, DEAD, True),
        (DEGRADED, (gateway("XNAS"),), False),
        (MARKED, (gateway("XNAS"),), True),
    ],
)
def test_health_has_to_pass_but_for_what_is_known(told: HealthProbe, gateways: tuple[object, ...], good: bool) -> None:
    """A restart fixes no gateway, and a mark is somebody's own; all else is not well."""
    orders = (order(AssetClass.FX),)

    assert has_recovered(observation(health=told, gateways=gateways, orders=orders)).good is good


@pytest.mark.parametrize(
    ("failing", "changes", "good"),
    [
        (FAILED, {}, False),
        (FAILED, {"gateways": DEAD}, True),
        (FAILED, {"gateways": (gateway("XNAS"), gateway("FXALL", Seen.FAILED))}, False),
        (DENIED, {"routing": HALTED}, True),
        (DENIED, {"routing": routing()}, False),
    ],
)
def test_every_order_has_to_be_delivered_but_where_the_way_is_shut(
    failing: OrderProbe, changes: dict[str, object], good: bool
) -> None:
    """The class that somebody halted is as it should be, and a dead gateway excuses its own orders alone."""
    verdict = has_recovered(observation(orders=(failing, order(AssetClass.FX)), **changes))

    assert verdict.good is good
    assert good or "order equity" in verdict.detail


def counting(errors: float, filled: float, after_s: float = 10.0) -> Observation:
    """A healthy round whose service has counted so many orders."""
    route = (("asset_class", "equity"), ("gateway", "XNAS"))
    samples = tuple(
        Sample(name="orders_total", labels=(*route, ("outcome", word)), value=count)
        for word, count in (("error", errors), ("filled", filled))
    )
    seen = observation(after_s)
    looked = metrics().model_copy(update={"looked_at": seen.looked_at, "samples": samples})
    return seen.model_copy(update={"metrics": looked})


@pytest.mark.parametrize(
    ("errors", "filled", "good"),
    [
        (3.0, 57.0, False),
        (3.0, 58.0, True),
        (2.0, 0.0, True),
        (3.0, 0.0, False),
        (100.0, 1900.0, False),
        (0.0, 1000.0, True),
    ],
)
def test_real_orders_that_the_service_fails_are_no_recovery(errors: float, filled: float, good: bool) -> None:
    """Two test orders may pass where a twentieth of all fail; fewer than three are a client's oddity."""
    before, now = counting(10.0, 500.0, 0.0), counting(10.0 + errors, 500.0 + filled)

    verdict = has_recovered(now, before)

    assert verdict.good is good
    assert good or f"{errors:.0f} of {errors + filled:.0f} orders failed" in verdict.detail
    assert has_recovered(now).good
    assert has_recovered(now, observation()).good
    assert has_recovered(observation(), before).good


@pytest.mark.parametrize(("errors", "good"), [(2.0, True), (3.0, False)])
def test_a_count_that_is_gone_speaks_neither_for_nor_against_a_recovery(errors: float, good: bool) -> None:
    """A service that names a class no more has neither failed nor filled its orders; the others decide."""
    before, now = counting(10.0, 500.0, 0.0), counting(10.0 + errors, 500.0)
    of_fx = Sample(name="orders_total", labels=(("asset_class", "fx"), ("outcome", "error")), value=7.0)
    told = before.metrics.model_copy(update={"samples": (*before.metrics.samples, of_fx)})

    assert has_recovered(now, before.model_copy(update={"metrics": told})).good is good


def test_a_service_is_lost_after_two_rounds_in_a_row_without_it() -> None:
    """One may be a supervisor that starts it again; the proof need not wait for its time once it is gone."""
    gone = observation(health=health(Fault.REFUSED), process=process(ProcessState.DEAD), orders=())

    assert is_lost((gone, gone))
    assert not is_lost((gone,))
    assert not is_lost(())
    assert not is_lost((gone, observation()))
    assert not is_lost((observation(), gone))
