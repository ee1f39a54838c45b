"""Memory that grows: what is reported, and what is restarted for before the kernel ends the process."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Diagnosis, Finding, Kind, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.diagnosis.causes.resources import resource_exhausted
from tasks.rules.diagnosis.name_causes import worth_confirming
from tasks.rules.remediation.guards.recheck import recheck
from tests.fakes.incident.cases import finding, inputs, planned
from tests.fakes.incident.observations import NOW, observation, order, process
from tests.fakes.incident.past import ago, past, with_past

MIB = 1_048_576
LIMIT_MIB = 1000
STARTED = ago(600)


def at(memory_mib: float, after_s: float = 0.0, *orders: OrderOutcome) -> Observation:
    """An observation of a process that holds so much."""
    outcomes = orders or (OrderOutcome.EXECUTED,)
    look = process(memory_bytes=int(memory_mib * MIB), memory_limit_bytes=LIMIT_MIB * MIB, started_at=STARTED)
    return observation(after_s, process=look, orders=tuple(order(AssetClass.EQUITY, one) for one in outcomes))


def grown(*rounds: Observation, mib_per_min: float = 20.0, minutes: int = 0, **more: object) -> Evidence:
    """Minutes in which memory grew to where the observations begin; so many that it has more than doubled."""
    now_mib = (rounds[0].process.memory_bytes or 0) / MIB
    minutes = minutes or (int(now_mib * 0.7 / mib_per_min) if mib_per_min else 10)
    memory = {n: int((now_mib - n * mib_per_min) * MIB) for n in range(minutes, 0, -1)}
    history = tuple(past(n, memory_bytes=size, started_at=STARTED) for n, size in memory.items())
    return with_past(rounds, **{"history": history, **more})


def three(memory_mib: float, *orders: OrderOutcome) -> tuple[Observation, ...]:
    """Three observations, two seconds apart."""
    return tuple(at(memory_mib + n / 10, n * 2.0, *orders) for n in range(3))


def sure(evidence: Evidence) -> Confidence | None:
    """How sure it is that memory is exhausted."""
    found = resource_exhausted(evidence)
    return found.confidence if found else None


@pytest.mark.parametrize("rounds", [three(270.0), (at(270.0),), three(749.0)])
def test_growth_far_from_the_limit_is_told_and_never_acted_on(rounds: tuple[Observation, ...]) -> None:
    """A heap that fills after the open looks like a leak for half an hour, while all orders fill."""
    evidence = grown(*rounds, mib_per_min=16.0)
    found = resource_exhausted(evidence)

    assert found is not None
    assert found.confidence is Confidence.LIKELY
    assert "told, and not acted on below 75%" in " ".join(found.because)


@pytest.mark.parametrize(
    ("memory_mib", "mib_per_min", "expected"),
    [
        (749.0, 55.0, Confidence.LIKELY),
        (751.0, 51.0, Confidence.CONFIRMED),
        (751.0, 49.0, Confidence.LIKELY),
        (880.0, 20.0, Confidence.LIKELY),
        (880.0, 25.0, Confidence.CONFIRMED),
        (905.0, 1.0, Confidence.CONFIRMED),
    ],
)
def test_while_orders_fill_a_restart_waits_until_the_limit_is_near(
    memory_mib: float, mib_per_min: float, expected: Confidence
) -> None:
    """Within five minutes of the limit, or at nine tenths of it, a controlled restart costs less than the kernel's."""
    assert sure(grown(*three(memory_mib), mib_per_min=mib_per_min)) is expected


CLOSED = MarketHours(
    asset_class=AssetClass.EQUITY,
    calendar="XNYS",
    at=NOW,
    open=False,
    session=MarketSession.WEEKEND,
    next_open=None,
    next_close=None,
)
OPEN = CLOSED.model_copy(update={"open": True, "session": MarketSession.REGULAR})


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (grown(*three(800.0), markets=()), Confidence.LIKELY),
        (grown(*three(800.0, OrderOutcome.REJECTED_AS_EXPECTED)), Confidence.CONFIRMED),
        (grown(*three(800.0, OrderOutcome.EXECUTED, OrderOutcome.ERROR)), Confidence.CONFIRMED),
        (grown(*three(800.0)).model_copy(update={"markets": (CLOSED,)}), Confidence.CONFIRMED),
        (grown(*three(800.0)).model_copy(update={"markets": (CLOSED, OPEN)}), Confidence.LIKELY),
    ],
)
def test_close_to_the_limit_it_does_not_wait_for_nobody(evidence: Evidence, expected: Confidence) -> None:
    """With markets closed, or orders failing already, a restart costs the desk nothing."""
    assert sure(evidence) is expected


@pytest.mark.parametrize(
    ("count", "expected"), [(1, Confidence.LIKELY), (2, Confidence.LIKELY), (3, Confidence.CONFIRMED)]
)
def test_one_observation_of_a_trend_restarts_nothing(count: int, expected: Confidence) -> None:
    """Safety rule 1 holds for a trend as for anything else: it is checked again."""
    evidence = grown(*three(880.0)[:count], mib_per_min=30.0)

    assert sure(evidence) is expected
    assert worth_confirming(evidence.context, evidence.observations[0])


def test_a_trend_that_one_of_the_observations_breaks_is_none() -> None:
    """A collector that ran has freed what looked lost."""
    assert sure(grown(at(880.0), at(300.0, 2.0), at(881.0, 4.0), mib_per_min=30.0)) is None


@pytest.mark.parametrize(
    ("evidence", "is_found"),
    [
        (grown(*three(190.0), mib_per_min=19.9, minutes=5), False),
        (grown(*three(190.0), mib_per_min=20.1, minutes=5), True),
        (grown(*three(900.0 - 30), mib_per_min=28.9, minutes=10), False),
        (grown(*three(900.0 - 30), mib_per_min=29.1, minutes=10), True),
        (grown(*three(280.0), mib_per_min=11.9, minutes=10), False),
        (grown(*three(280.0), mib_per_min=12.1, minutes=10), True),
        (grown(*three(190.0), mib_per_min=50.0, minutes=2), False),
        (grown(*three(190.0), mib_per_min=50.0, minutes=3), True),
    ],
    ids=["100 MiB", "more", "half as much again", "as much", "over an hour away", "within the hour", "3 points", "4"],
)
def test_little_or_slow_growth_is_no_leak(evidence: Evidence, *, is_found: bool) -> None:
    """A hundred mebibytes, half as much again, and the limit within the hour: all three, over enough runs."""
    assert (sure(evidence) is not None) is is_found


MEMORY = finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.MEMORY,))


@pytest.mark.parametrize(
    ("evidence", "found", "code"),
    [
        (grown(at(880.0), mib_per_min=30.0), MEMORY, GuardCode.ALLOWED),
        (grown(at(700.0), mib_per_min=60.0), MEMORY, GuardCode.CLEARED),
        (grown(at(880.0), mib_per_min=10.5), MEMORY, GuardCode.CLEARED),
        (grown(at(950.0), mib_per_min=0.0), MEMORY, GuardCode.ALLOWED),
        (grown(at(300.0), mib_per_min=0.0), MEMORY, GuardCode.CLEARED),
        (grown(at(300.0), mib_per_min=0.0), finding(), GuardCode.ALLOWED),
        (
            grown(at(300.0), mib_per_min=0.0),
            finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.DESCRIPTORS,)),
            GuardCode.ALLOWED,
        ),
    ],
)
def test_right_before_the_restart_memory_must_still_press(evidence: Evidence, found: Finding, code: GuardCode) -> None:
    """What was freed since the plan is no reason to stop a service that fills orders."""
    now = inputs(found=(found,)).model_copy(
        update={"evidence": evidence, "diagnosis": Diagnosis(status=Status.DEGRADED, findings=(found,))}
    )

    assert recheck(planned(Action.RESTART_SERVICE, found), now, evidence.latest.process.identity).code is code
