"""A test order of ours that is left at a venue is reported as an incident of its own, for as long as it is left."""

from typing import Any

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Kind, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, OrderProbe
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.in_force.class_standing import left_words
from tests.fakes.incident.observations import evidence, observation, order

RESTS = "TEST ORDER synthetic-1 of 2026-11-27 15:00:00Z may rest at the venue (HTTP 500); cancel it there"
FILLED = "TEST ORDER synthetic-2 of 2026-11-27 15:00:00Z was filled, though it was to rest: its position is open"


def left(words: str, outcome: OrderOutcome = OrderOutcome.BLIND, *, kept: bool = True) -> OrderProbe:
    """A test order that left something."""
    return order(outcome=outcome).model_copy(update={"left": words, "left_is_kept": kept})


def seen(*orders: OrderProbe, **changes: Any) -> Evidence:
    """A pass of checks for each order of equity; fx trades."""
    return evidence(*(_pass(float(number), one, **changes) for number, one in enumerate(orders)))


def _pass(at_s: float, one: OrderProbe, **changes: Any) -> Observation:
    return observation(at_s, orders=(one, order(AssetClass.FX)), **changes)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (left(RESTS), RESTS),
        (left(FILLED), FILLED),
        (left(FILLED, OrderOutcome.EXECUTED), FILLED),
    ],
)
def test_a_test_order_that_is_left_at_a_venue_is_a_finding_for_on_call(one: OrderProbe, words: str) -> None:
    """Also where it filled and the order looks delivered, and where no order was sent because of it."""
    diagnosis = name_cause(seen(one, one, one))

    (found,) = diagnosis.findings
    assert (found.cause, found.confidence, found.kinds) == (
        Cause.OBSERVABILITY_FAULT,
        Confidence.CONFIRMED,
        (Kind.TEST_ORDERS,),
    )
    assert (found.because, found.section, found.tier) == ((words,), "§1.3", Audience.TIER_1)
    assert diagnosis.status is Status.DEGRADED


def test_where_no_class_can_be_tested_because_of_it_nothing_is_called_critical() -> None:
    """No test order was sent: whether the class trades is not known, and nothing says that it does not."""
    alone = evidence(*(observation(float(at), orders=(left(RESTS),)) for at in range(3)))

    assert name_cause(alone).status is Status.DEGRADED


def test_what_the_next_check_canceled_is_not_left_any_more() -> None:
    """An order that only the sender could not cancel is gone a second later, and nobody searches for it."""
    gone = seen(left(RESTS, OrderOutcome.UNKNOWN), order(), order())

    assert left_words(gone) == ()
    assert name_cause(gone).status is Status.OK


def test_what_no_check_can_cancel_stays_reported_in_its_run() -> None:
    """The service gave no id: a later order that fills proves nothing of the one before it."""
    lost = seen(left(RESTS, OrderOutcome.UNKNOWN, kept=False), order(), order())

    assert left_words(lost) == (f"{RESTS}.",)
    assert [one.kinds for one in name_cause(lost).findings] == [(Kind.TEST_ORDERS,)]
