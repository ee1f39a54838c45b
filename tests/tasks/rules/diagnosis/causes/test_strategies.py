"""A strategy that sends far more than it usually does, and none that only begins to trade."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Confidence
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.rules.diagnosis.causes.strategies import client_misbehaviour, strategy_rates
from tasks.rules.probes.synthetic_order import STRATEGY
from tests.fakes.incident.observations import NOW, observation
from tests.fakes.incident.past import counted, counters, past, with_past

USUAL_PER_MIN = 60.0


def sending(
    orders: float = 7200.0,
    over_s: float = 60.0,
    strategy: str = "loop",
    usual: float = USUAL_PER_MIN,
    windows: int = 5,
) -> Evidence:
    """A strategy that sent so many orders since the last run, after windows of a minute at its usual rate."""
    last = over_s / 60
    history = tuple(
        past(last + back, counters=counters({strategy: (windows - back) * usual})) for back in range(windows, -1, -1)
    )
    now = counters({strategy: windows * usual + orders})
    return with_past((observation(metrics=counted(now)),), history=history)


def test_a_strategy_at_many_times_its_usual_rate_is_named_with_both_rates() -> None:
    """The desk stops the one strategy; the service is left alone."""
    found = client_misbehaviour(sending())

    assert found is not None
    assert found.strategies == ("loop",)
    assert found.because == ("strategy loop sends 120.0 orders/s over 60 s, usually 1.00 orders/s",)
    assert found.confidence is Confidence.CONFIRMED


@pytest.mark.parametrize(
    ("seen", "is_wild"),
    [
        (sending(orders=1200.0), True),
        (sending(orders=1199.0), False),
        (sending(orders=300.0, usual=1.0), True),
        (sending(orders=299.0, usual=1.0), False),
        (sending(orders=1000.0, over_s=240.0, usual=1.0), False),
        (sending(orders=1200.0, over_s=240.0, usual=1.0), True),
        (sending(usual=0.0), False),
        (sending(windows=3), True),
        (sending(windows=2), False),
        (sending(strategy="other"), False),
        (sending(strategy=STRATEGY), False),
        (sending(strategy=""), False),
    ],
)
def test_a_rate_is_wild_from_its_limits_on(seen: Evidence, is_wild: bool) -> None:
    """Twenty times the usual, five a second, three hundred orders: less is a busy market."""
    assert (client_misbehaviour(seen) is not None) is is_wild


@pytest.mark.parametrize(
    ("over_s", "confidence"), [(20.0, Confidence.CONFIRMED), (19.0, Confidence.LIKELY), (5.0, Confidence.LIKELY)]
)
def test_a_short_window_is_only_likely(over_s: float, confidence: Confidence) -> None:
    """A burst of seconds may be over before anybody reads of it."""
    found = client_misbehaviour(sending(over_s=over_s))

    assert found is not None
    assert found.confidence is confidence


def test_a_run_of_seconds_ago_is_no_window() -> None:
    """Two runs that overlap measure noise; the window goes back to the run before."""
    (rate,) = strategy_rates(sending(over_s=4.9))

    assert rate.window_s == pytest.approx(64.9)


def test_what_lies_over_an_hour_back_is_not_usual_any_more() -> None:
    """A strategy that traded in the morning has another rate in the afternoon."""
    seen = sending()
    moved = tuple(one.model_copy(update={"at": one.at - timedelta(hours=1)}) for one in seen.context.history)

    assert strategy_rates(seen.model_copy(update={"context": seen.context.model_copy(update={"history": moved})})) == ()


def test_nothing_is_measured_without_a_number_of_this_run() -> None:
    """What the run before counted says nothing about now."""
    seen = sending()
    blind = seen.latest.model_copy(update={"metrics": seen.latest.metrics.model_copy(update={"samples": ()})})

    assert strategy_rates(seen.model_copy(update={"observations": (blind,)})) == ()
    assert strategy_rates(with_past((observation(),))) == ()


def test_the_classes_that_the_throttle_denies_are_named() -> None:
    """The desk reads whose orders do not go out."""
    seen = sending()
    denials = [("crypto", "ORDER_RATE_EXCEEDED"), ("fx", "TRADING_HALTED")]
    samples = tuple(
        Sample(name="orders_denied_total", labels=(("asset_class", name), ("code", code)), value=1)
        for name, code in denials
    )
    looked = seen.latest.metrics
    noted = looked.model_copy(update={"samples": (*looked.samples, *samples)})
    again = seen.latest.model_copy(update={"metrics": noted})

    found = client_misbehaviour(seen.model_copy(update={"observations": (again,)}))

    assert found is not None
    assert found.asset_classes == (AssetClass.CRYPTO,)
    assert found.ruled_out
    assert looked.looked_at == NOW


def test_all_that_run_wild_together_are_named() -> None:
    """Two that run wild together are both paused."""
    history = tuple(
        past(1.0 + back, counters=counters({"loop": (5 - back) * 60.0, "spin": (5 - back) * 60.0}))
        for back in range(5, -1, -1)
    )
    now = counters({"loop": 300.0 + 7200.0, "spin": 300.0 + 3600.0, "calm": 60.0})

    found = client_misbehaviour(with_past((observation(metrics=counted(now)),), history=history))

    assert found is not None
    assert found.strategies == ("loop", "spin")


def test_a_run_of_exactly_an_hour_ago_is_not_usual_any_more() -> None:
    """The usual is of the hour that lies within."""
    table = counters({"loop": 0.0})
    within = tuple(past(minutes, counters=table) for minutes in (59.9, 3, 2, 1))
    at_it = (past(60, counters=table), *within[1:])
    now = (observation(metrics=counted(counters({"loop": 60.0}))),)

    assert strategy_rates(with_past(now, history=within)) != ()
    assert strategy_rates(with_past(now, history=at_it)) == ()


def test_a_strategy_that_sent_nothing_before_has_no_usual_rate() -> None:
    """To begin to trade is no fault, however fast."""
    quiet = tuple(past(minutes, counters=counters({"other": 0.0})) for minutes in (5, 4, 3, 2, 1))
    now = (observation(metrics=counted(counters({"loop": 7200.0}))),)

    (rate,) = strategy_rates(with_past(now, history=quiet))

    assert (rate.per_s, rate.usual_per_s) == (120.0, 0.0)
