"""Counters between two readings: restarts, gaps and clocks."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.service.exposition import read_exposition
from tasks.model.probes.metrics import CounterRate, MetricsSnapshot, RateCode
from tasks.rules.probes.counters import counter_rates, restarted_between

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NAME = "orders_total"


def total_increase(rates: tuple[CounterRate, ...], **labels: str) -> float | None:
    """Add up the increases of all series that carry these labels; None when there is none, or one without a rate."""
    wanted = set(labels.items())
    increases = [rate.increase for rate in rates if wanted <= set(rate.labels)]
    known = [increase for increase in increases if increase is not None]
    return math.fsum(known) if known and len(known) == len(increases) else None


def reading(body: str, after_s: float = 0, started_s: float | None = None) -> MetricsSnapshot:
    """Read metrics some seconds into the test, of a process started at a time."""
    start = "" if started_s is None else f"process_start_time_seconds {started_s}\n"
    found = read_exposition(f"up 1\n{start}{body}".encode(), START + timedelta(seconds=after_s))
    assert isinstance(found, MetricsSnapshot)
    return found


def one_rate(earlier: MetricsSnapshot | None, later: MetricsSnapshot) -> CounterRate:
    """Give the rate of the one series."""
    (rate,) = counter_rates(earlier, later, NAME)
    return rate


@pytest.mark.parametrize(
    ("then", "now", "code", "increase"),
    [
        ("10", "70", RateCode.RATE, 60),
        ("10", "10", RateCode.RATE, 0),
        ("100", "30", RateCode.RESET, 30),
        ("100", "0", RateCode.RESET, 0),
        ("NaN", "30", RateCode.NOT_A_COUNT, None),
        ("10", "NaN", RateCode.NOT_A_COUNT, None),
        ("10", "+Inf", RateCode.NOT_A_COUNT, None),
        ("10", "-5", RateCode.NOT_A_COUNT, None),
    ],
)
def test_the_increase_of_one_counter(then: str, now: str, code: RateCode, increase: float | None) -> None:
    """A counter that fell was reset; one that is no number says nothing."""
    rate = one_rate(reading(f"{NAME} {then}\n"), reading(f"{NAME} {now}\n", 60))

    assert (rate.code, rate.increase) == (code, increase)
    assert rate.per_second == (None if increase is None else increase / 60)


def test_a_restart_counts_from_zero_even_when_the_value_grew() -> None:
    """A busy minute after a restart can pass the old count; only the start time tells."""
    rate = one_rate(reading(f"{NAME} 10\n", started_s=1000), reading(f"{NAME} 70\n", 60, started_s=2000))

    assert (rate.code, rate.increase) == (RateCode.RESET, 70)


def test_a_start_time_that_trembles_is_no_restart() -> None:
    """The start time moves a little when the machine's clock is set."""
    earlier, later = reading(f"{NAME} 10\n", started_s=1000.0), reading(f"{NAME} 70\n", 60, started_s=1000.4)

    assert not restarted_between(earlier, later)
    assert one_rate(earlier, later).increase == 60


@pytest.mark.parametrize("after_s", [0, -1, -3600])
def test_a_clock_that_stands_or_goes_back_gives_no_rate(after_s: float) -> None:
    """No time between two readings means no rate, not an infinite one."""
    rate = one_rate(reading(f"{NAME} 10\n"), reading(f"{NAME} 70\n", after_s))

    assert (rate.code, rate.increase, rate.per_second) == (RateCode.CLOCK_BACKWARDS, None, None)


def test_the_first_reading_gives_no_rate() -> None:
    """A total since the start is no rate of now."""
    assert one_rate(None, reading(f"{NAME} 70\n")).code is RateCode.NO_EARLIER


DECLARED = f"# TYPE {NAME} counter\n"


def test_an_outcome_seen_for_the_first_time_counts_from_zero() -> None:
    """The first error ever is an error, though its series was not there before."""
    rate = one_rate(reading(DECLARED), reading(f'{DECLARED}{NAME}{{outcome="error"}} 5\n', 60))

    assert (rate.code, rate.increase) == (RateCode.APPEARED, 5)


def test_a_metric_the_earlier_reading_did_not_have_gives_no_rate() -> None:
    """After an upgrade that adds a counter, its total is not the last minute's."""
    assert one_rate(reading(""), reading(f"{NAME} 5\n", 60)).code is RateCode.MISSING


def test_a_series_that_vanished_gives_no_rate() -> None:
    """Missing data is not zero."""
    rate = one_rate(reading(f"{NAME} 5\n"), reading("", 60))

    assert (rate.code, rate.increase) == (RateCode.MISSING, None)


def test_a_series_that_a_restarted_process_has_not_counted_yet_is_zero() -> None:
    """The family is declared, the process is new: nothing of that kind has happened since."""
    earlier = reading(f'{DECLARED}{NAME}{{outcome="error"}} 5\n', started_s=1000)
    rate = one_rate(earlier, reading(DECLARED, 60, started_s=2000))

    assert (rate.code, rate.increase) == (RateCode.RESET, 0)


def test_a_gauge_has_no_rate() -> None:
    """A value that may fall by itself is not a counter, whatever its name."""
    declared = f"# TYPE {NAME} gauge\n{NAME} "

    assert one_rate(reading(f"{declared}5\n"), reading(f"{declared}9\n", 60)).code is RateCode.NOT_A_COUNT


def test_a_total_needs_every_one_of_its_series() -> None:
    """A sum without one of its parts would be too small, and nobody would know."""
    earlier = reading(f'{NAME}{{outcome="a",g="x"}} 1\n{NAME}{{outcome="b",g="x"}} 1\n{NAME}{{outcome="b",g="y"}} 1\n')
    later = reading(
        f'{NAME}{{outcome="a",g="x"}} 4\n{NAME}{{outcome="b",g="x"}} 6\n{NAME}{{outcome="b",g="y"}} NaN\n', 60
    )
    rates = counter_rates(earlier, later, NAME)

    assert total_increase(rates, g="x") == 8
    assert total_increase(rates, outcome="b") is None
    assert total_increase(rates, outcome="c") is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.sets(st.integers(0, 19)))
def test_rates_add_up_to_all_that_was_counted(counted: list[int], restarts: set[int]) -> None:
    """Over any restarts, the increases together are what happened after the first reading."""
    value, started, total = 0, 1000, 0.0
    earlier = reading(f"{DECLARED}{NAME} 0\n", 0, started)
    for minute, count in enumerate(counted):
        if minute in restarts:
            value, started = 0, started + 60
        value += count
        later = reading(f"{DECLARED}{NAME} {value}\n", 60 * (minute + 1), started)
        total += one_rate(earlier, later).increase or 0
        earlier = later

    assert total == sum(counted)
