"""What the service uses up, to the byte: when descriptors and memory are spent, and how a trend is measured."""

import pytest

from tasks.model.diagnosis.diagnosis import Confidence, Kind
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import OrderOutcome
from tasks.rules.diagnosis.causes.resources import (
    MemoryTrend,
    _reaches,
    _waits,
    descriptors_spent,
    memory_limit,
    memory_presses,
    memory_spent,
    memory_trend,
    resource_exhausted,
)
from tests.fakes.incident.observations import evidence, observation, order, process
from tests.fakes.incident.past import ago, past, with_past

MIB = 1_048_576
LIMITS = DiagnosisLimits()
BEGAN = ago(600)


@pytest.mark.parametrize(
    ("count", "limit", "spent"),
    [
        (95, 100, True),
        (94, 100, False),
        (1, 1, True),
        (None, 100, False),
        (95, None, False),
        (95, 0, False),
        (5, -1, False),
    ],
)
def test_descriptors_are_spent_at_the_limit_that_somebody_knows(
    count: int | None, limit: int | None, *, spent: bool
) -> None:
    """No limit, or one below zero, means that there is none."""
    seen = observation(process=process(open_files_count=count, open_files_limit=limit))

    assert descriptors_spent(seen, LIMITS) is spent


def test_memory_is_spent_from_nine_tenths_of_the_lesser_limit_on() -> None:
    """The kernel ends the process at whichever comes first; memory that nobody could read is not spent."""
    limits = LIMITS.model_copy(update={"memory_limit_bytes": 1000})
    both = process(memory_bytes=900, memory_limit_bytes=2000)

    assert memory_limit(both, limits) == 1000
    assert memory_limit(both.model_copy(update={"memory_limit_bytes": 500}), limits) == 500
    assert memory_limit(both, LIMITS) == 2000
    assert memory_limit(process(), LIMITS) is None
    assert memory_spent(observation(process=both), limits)
    assert not memory_spent(observation(process=both.model_copy(update={"memory_bytes": 899})), limits)
    assert not memory_spent(observation(process=both.model_copy(update={"memory_bytes": None})), limits)
    assert not memory_spent(observation(process=both), LIMITS)


def test_memory_at_its_limit_is_told_with_both_numbers() -> None:
    """The page says how much there was."""
    full = process(memory_bytes=950 * MIB, memory_limit_bytes=1000 * MIB)
    found = resource_exhausted(evidence(observation(process=full)))

    assert found is not None
    assert found.because == ("memory is at its limit in 1 of 1 checks: 950 of 1000 MiB",)
    assert found.kinds == (Kind.MEMORY,)


def run(seconds_ago: float, memory: int | None, **changes: object) -> PastObservation:
    """A run before that read the memory of the process."""
    return past(seconds_ago / 60, **{"memory_bytes": memory, "started_at": BEGAN, **changes})


def growing(*history: PastObservation, now: int | None = 400) -> Evidence:
    """What this run reads after those."""
    return with_past((observation(process=process(memory_bytes=now, started_at=BEGAN)),), history=history)


THREE = (run(30, 100), run(20, 200), run(10, 300))


def test_a_trend_is_the_middle_slope_from_the_first_point_to_the_last() -> None:
    """Source: Theil 1950, Sen 1968; one run that reads oddly does not bend it."""
    straight = memory_trend(growing(*THREE))
    bent = memory_trend(growing(run(40, 0), run(30, 100), run(20, 900), run(10, 300)))

    assert straight is not None
    assert straight.model_dump() == {
        "points_count": 4,
        "first_bytes": 100,
        "last_bytes": 400,
        "span_s": 30.0,
        "per_s": pytest.approx(10.0),
        "rising_ratio": 1.0,
    }
    assert bent is not None
    assert bent.per_s == pytest.approx(10.0)
    assert bent.rising_ratio == 0.75


def test_three_points_or_half_a_minute_less_a_moment_are_no_trend() -> None:
    """A start that fills its caches looks like a leak."""
    assert memory_trend(growing(*THREE)) is not None
    assert memory_trend(growing(*THREE[:2])) is None
    assert memory_trend(growing(run(29.9, 100), *THREE[1:])) is None


@pytest.mark.parametrize(
    "other",
    [run(60, 1, pid=77), run(60, 1, started_at=ago(700)), run(60, None), run(0, 350), run(-5, 350)],
    ids=["another process", "another start", "not read", "this moment", "later"],
)
def test_only_what_was_read_before_of_the_same_process_counts(other: PastObservation) -> None:
    """Another life has another memory, and this run stands for itself."""
    assert memory_trend(growing(*THREE, other)) == memory_trend(growing(*THREE))
    assert memory_trend(growing(*THREE[:2], other)) is None


def test_the_observations_of_one_run_are_one_point() -> None:
    """Three looks two seconds apart, and a run that began between them, would make a trend of a moment."""
    looks = tuple(observation(at_s, process=process(memory_bytes=400, started_at=BEGAN)) for at_s in (0.0, 2.0, 4.0))

    alone = memory_trend(with_past(looks, history=THREE))

    assert alone is not None
    assert alone.points_count == 4
    assert memory_trend(with_past(looks, history=(*THREE, run(-1, 350)))) == alone


def test_a_trend_is_that_of_the_last_sixty_points() -> None:
    """What a process needed when it started says little of the next hour."""
    trend = memory_trend(growing(*(run(seconds, 1000 - seconds) for seconds in range(70, 0, -1))))

    assert trend is not None
    assert (trend.points_count, trend.first_bytes) == (60, 1000 - 59)


def test_memory_that_stands_still_does_not_rise() -> None:
    """A cache that is full is no leak."""
    trend = memory_trend(growing(run(30, 100), run(20, 100), run(10, 400)))

    assert trend is not None
    assert trend.rising_ratio == pytest.approx(1 / 3)


def test_two_runs_of_the_same_moment_have_no_slope() -> None:
    """They are notified apart by nothing, and nobody divides by it."""
    trend = memory_trend(growing(run(30, 100), run(20, 200), run(20, 220), run(10, 300)))

    assert trend is not None
    assert trend.points_count == 5


def test_two_things_that_run_out_are_as_sure_as_the_less_sure_of_them() -> None:
    """A restart for the descriptors would be taken for a proof of the leak."""
    history = tuple(run(back * 60, (100 + (8 - back) * 40) * MIB) for back in range(8, 0, -1))
    looks = tuple(
        observation(
            after_s,
            process=process(
                memory_bytes=460 * MIB, memory_limit_bytes=1024 * MIB, started_at=BEGAN,
                open_files_count=99, open_files_limit=100,
            ),
        )
        for after_s in (0.0, 2.0, 4.0)
    )  # fmt: skip

    both, alone = resource_exhausted(with_past(looks, history=history)), resource_exhausted(with_past(looks))

    assert both is not None
    assert alone is not None
    assert (both.kinds, both.confidence) == ((Kind.DESCRIPTORS, Kind.MEMORY), Confidence.LIKELY)
    assert (alone.kinds, alone.confidence) == ((Kind.DESCRIPTORS,), Confidence.CONFIRMED)


LIMIT = 1000 * MIB
RISING = MemoryTrend(
    points_count=9, first_bytes=100 * MIB, last_bytes=600 * MIB, span_s=600.0, per_s=1.0 * MIB, rising_ratio=1.0
)


@pytest.mark.parametrize(
    ("changes", "reaches"),
    [
        ({}, True),
        ({"last_bytes": 200 * MIB}, True),
        ({"last_bytes": 200 * MIB - 1}, False),
        ({"first_bytes": 400 * MIB}, True),
        ({"first_bytes": 400 * MIB + 1}, False),
        ({"rising_ratio": 0.8}, True),
        ({"rising_ratio": 0.79}, False),
        ({"per_s": 0.0}, False),
        ({"per_s": -1.0}, False),
        ({"per_s": 0.5, "last_bytes": LIMIT - 1800}, True),
        ({"per_s": 0.5, "last_bytes": LIMIT - 1801}, False),
    ],
)
def test_memory_reaches_its_limit_by_much_growth_that_is_steady_and_within_the_hour(
    changes: dict[str, float], *, reaches: bool
) -> None:
    """A hundred MiB, half as much again, four of five points up, and an hour: each of them, and at it."""
    assert _reaches(RISING.model_copy(update=changes), LIMIT, LIMITS) is reaches


NEAR = RISING.model_copy(update={"last_bytes": 900, "per_s": 1.0})


@pytest.mark.parametrize(
    ("trend", "outcomes", "waits"),
    [
        (NEAR, (OrderOutcome.EXECUTED,), ""),
        (NEAR.model_copy(update={"last_bytes": 899}), (OrderOutcome.EXECUTED,), "told, and not acted on"),
        (NEAR.model_copy(update={"per_s": 0.99}), (OrderOutcome.EXECUTED,), "orders fill"),
        (NEAR.model_copy(update={"per_s": 0.99}), (OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED), "fill"),
        (NEAR.model_copy(update={"per_s": 0.99}), (OrderOutcome.REJECTED_AS_EXPECTED,), ""),
        (NEAR.model_copy(update={"per_s": 0.99}), (OrderOutcome.EXECUTED, OrderOutcome.TIMED_OUT), ""),
    ],
)
def test_a_restart_for_growing_memory_waits_below_three_quarters_and_for_five_minutes_while_orders_fill(
    trend: MemoryTrend, outcomes: tuple[OrderOutcome, ...], waits: str
) -> None:
    """Of 1,200 bytes 900 are three quarters, and 300 s are left at a byte a second."""
    seen = evidence(observation(orders=tuple(order(outcome=one) for one in outcomes)))
    told = _waits(seen, trend, 1200)

    assert waits in told
    assert bool(told) is bool(waits)


def test_memory_without_a_limit_or_a_trend_asks_for_no_restart() -> None:
    """Nobody knows when it would be spent."""
    grown = tuple(run(back * 60, (100 + (8 - back) * 80) * MIB) for back in range(8, 0, -1))

    def presses(limit_bytes: int | None, *history: PastObservation) -> bool:
        look = process(memory_bytes=800 * MIB, memory_limit_bytes=limit_bytes, started_at=BEGAN)
        seen = with_past((observation(process=look),), history=history)
        assert (resource_exhausted(seen) is not None) is memory_presses(seen)
        return memory_presses(seen)

    assert presses(LIMIT, *grown)
    assert not presses(None, *grown)
    assert not presses(LIMIT)
