"""A change is taken back only while what it is blamed for shows: in each observation, and right before the action."""

from typing import Any

import pytest

from tasks.model.diagnosis.changes import Change
from tasks.model.diagnosis.diagnosis import Cause, Confidence, Diagnosis, Kind, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import MetricsProbe, Observation, OrderOutcome, OrderProbe
from tasks.model.remediation.plan import Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.diagnosis.causes.releases import shows_now
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.guards.recheck import recheck
from tests.fakes.incident.cases import finding, inputs, planned
from tests.fakes.incident.observations import observation, order
from tests.fakes.incident.past import CLASSES, ago, counted, counters, filled, past, released, with_past

RELEASED = released(4.5)
ERRORS, FILLS = (
    "orders_total|asset_class=equity|gateway=XNAS|outcome=error",
    "orders_total|asset_class=equity|gateway=XNAS|outcome=filled",
)


def failed(asset_class: AssetClass = AssetClass.EQUITY) -> OrderProbe:
    """A test order that the service answered with 500."""
    return order(asset_class, OrderOutcome.ERROR).model_copy(update={"code": "INTERNAL_ERROR", "gateway": None})


def round_of(after_s: float, *, fails: bool, errors: float | None = None) -> Observation:
    """One observation: its test orders fail or fill, and the service has counted so many errors."""
    orders = (failed(AssetClass.EQUITY), failed(AssetClass.FX)) if fails else (order(), order(AssetClass.FX))
    seen = observation(after_s, orders=orders)
    if errors is None:
        return seen
    look = counted(counters(**{FILLS: 1000.0, ERRORS: errors}))
    assert isinstance(look, MetricsProbe)
    return seen.model_copy(update={"metrics": look.model_copy(update={"looked_at": seen.looked_at})})


def history_of(until: float = 0.5) -> tuple[PastObservation, ...]:
    """An hour of good runs; since the release each test order failed, until so many minutes ago."""
    bad = tuple(filled(name).model_copy(update={"outcomes": {"error:INTERNAL_ERROR": 1}}) for name in CLASSES)
    return tuple(past(n / 2, orders=bad) if until <= n / 2 <= 4 else past(n / 2) for n in range(120, 0, -1))


def blamed(*rounds: Observation, changes: tuple[Change, ...] = (RELEASED,), **more: Any) -> Confidence | None:
    """How surely these observations blame the release."""
    evidence = with_past(rounds, **{"history": history_of(), "changes": changes, **more})
    found = name_cause(evidence).find(Cause.BAD_RELEASE)
    return found.confidence if found else None


def failing(*words: bool) -> tuple[Observation, ...]:
    """Observations two seconds apart that fail or fill."""
    return tuple(round_of(place * 2.0, fails=fails) for place, fails in enumerate(words))


@pytest.mark.parametrize(
    ("fails", "sure"),
    [
        ((True, True, True), Confidence.CONFIRMED),
        ((True, True, True, True), Confidence.CONFIRMED),
        ((False, False, False), Confidence.LIKELY),
        ((True, True, False), Confidence.LIKELY),
        ((True, False, True), Confidence.LIKELY),
        ((False, True, True), Confidence.LIKELY),
        ((True, True), Confidence.LIKELY),
        ((True,), Confidence.LIKELY),
    ],
)
def test_a_release_is_blamed_for_sure_only_while_every_observation_fails(
    fails: tuple[bool, ...], sure: Confidence
) -> None:
    """Errors that have ended need no rollback, and one round in which every order fills says that they may have."""
    assert blamed(*failing(*fails)) is sure


def test_a_release_whose_errors_ended_minutes_ago_is_not_blamed_at_all() -> None:
    """There is nothing left to judge."""
    assert blamed(*failing(False, False, False), history=history_of(until=3.0)) is None


@pytest.mark.parametrize(
    ("counts", "sure"),
    [
        ((10, 12, 14), Confidence.CONFIRMED),
        ((10, 10, 14), Confidence.LIKELY),
        ((10, 14, 14), Confidence.LIKELY),
        ((0, 2, 4), Confidence.LIKELY),
    ],
)
def test_errors_that_the_service_counts_between_two_observations_show_as_well(
    counts: tuple[int, ...], sure: Confidence
) -> None:
    """Four test orders may fill where one order in three fails."""
    before = (*history_of(1.0)[:-1], past(0.5, counters=counters(**{FILLS: 900.0, ERRORS: 0.0})))
    rounds = tuple(round_of(place * 2.0, fails=False, errors=errors) for place, errors in enumerate(counts))

    assert blamed(*rounds, history=before) is sure


BAD = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))
FEATURE = finding(Cause.BAD_FEATURE, feature="band", kinds=(Kind.ERRORS,))


def before_action(*rounds: Observation) -> Evidence:
    """What is observed right before the action, after minutes of errors."""
    return with_past(rounds, history=history_of(), changes=(RELEASED,))


@pytest.mark.parametrize(
    ("rounds", "code"),
    [
        (failing(False, False), GuardCode.CLEARED),
        (failing(False), GuardCode.CLEARED),
        (failing(False, True), GuardCode.ALLOWED),
        (failing(True, False), GuardCode.ALLOWED),
        ((round_of(0, fails=False, errors=50), round_of(2, fails=False, errors=51)), GuardCode.ALLOWED),
        ((round_of(0, fails=False, errors=50), round_of(2, fails=False, errors=50)), GuardCode.CLEARED),
        (failing(True, False, False), GuardCode.CLEARED),
    ],
)
@pytest.mark.parametrize(
    ("action", "found", "target"),
    [
        (Action.ROLL_BACK_RELEASE, BAD, Target(release="1.0.0")),
        (Action.DISABLE_FEATURE, FEATURE, Target(feature="band")),
    ],
)
def test_right_before_the_action_the_errors_must_still_be_there(
    rounds: tuple[Observation, ...], code: GuardCode, action: Action, found: Any, target: Target
) -> None:
    """The numbers of the last minutes still blame the release when it has long recovered."""
    now = inputs(found=(found,)).model_copy(
        update={"evidence": before_action(*rounds), "diagnosis": Diagnosis(status=Status.CRITICAL, findings=(found,))}
    )

    assert recheck(planned(action, found, target), now, None).code is code


def slow(after_s: float, own_ms: float) -> Observation:
    """One observation whose test order took so long in the service."""
    late = order().model_copy(update={"latency_ms": own_ms + 3.0, "gateway_latency_ms": 3.0})
    return observation(after_s, orders=(late,))


def slow_history() -> tuple[PastObservation, ...]:
    """An hour in which orders took 5 ms in the service, and 60 ms since the release."""
    return tuple(
        past(n, orders=tuple(filled(name).model_copy(update={"own_ms": 60.0 if n <= 4 else 5.0}) for name in CLASSES))
        for n in range(60, 0, -1)
    )


@pytest.mark.parametrize(
    ("own_ms", "sure"),
    [
        ((60.0, 60.0, 60.0), Confidence.CONFIRMED),
        ((60.0, 5.0, 60.0), Confidence.LIKELY),
        ((5.0, 60.0, 60.0), Confidence.LIKELY),
    ],
)
def test_a_slow_release_is_blamed_for_sure_only_while_every_observation_is_slow(
    own_ms: tuple[float, ...], sure: Confidence
) -> None:
    """A pause of the collector that is over is no reason to change code."""
    rounds = tuple(slow(place * 2.0, one) for place, one in enumerate(own_ms))

    assert blamed(*rounds, history=slow_history()) is sure


def test_right_before_the_action_a_slow_release_must_still_be_slow() -> None:
    """The last observation decides; crashes are shown by the process alone."""
    evidence = [
        with_past((slow(0.0, first), slow(2.0, last)), history=slow_history(), changes=(RELEASED,))
        for first, last in ((5.0, 60.0), (60.0, 5.0))
    ]

    assert [shows_now(one, (Kind.LATENCY,)) for one in evidence] == [True, False]
    assert shows_now(evidence[1], (Kind.CRASHES,))
    assert ago(0) == evidence[0].context.looked_at
