"""Closing an incident: after some good runs in a row, not at the first."""

import pytest

from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incident import Event, IncidentState
from tasks.model.looks import OrderOutcome
from tasks.model.orders import AssetClass
from tasks.model.past_looks import PastLook
from tasks.rules.hysteresis import may_close, same_trouble
from tests.fakes.looks import NOW, observation, order
from tests.fakes.past import past, with_past

WELL = Diagnosis(status=Status.OK)


def incident(*causes: Cause) -> IncidentState:
    """An open incident."""
    return IncidentState(incident_id="I", service="s", state=Event.OPENED, opened_at=NOW, causes=causes)


def finding(cause: Cause) -> Finding:
    """A finding of a cause."""
    return Finding(cause=cause, confidence=Confidence.CONFIRMED, because=("x",), section="§2.2", tier=Audience.TIER_3)


def bad(minutes: float, cause: Cause = Cause.GATEWAY_FAILING) -> PastLook:
    """A run that found a cause."""
    return past(minutes, status="degraded", troubles=(cause.value,))


@pytest.mark.parametrize(
    ("history", "closes"),
    [
        ((bad(2), past(1)), True),
        ((past(2), bad(1)), False),
        ((past(2), bad(1.5), past(0.2)), False),
        ((bad(3), past(2), past(1)), True),
        ((), False),
        ((past(60),), False),
    ],
    ids=["two good", "one good", "two within seconds", "three good", "no history", "a gap"],
)
def test_an_incident_closes_after_enough_good_runs_in_a_row(history: tuple[PastLook, ...], closes: bool) -> None:
    """A flapping symptom is one incident and one thread, not an alarm and an all-clear each minute."""
    seen = with_past((observation(),), history=history)

    assert may_close(incident(Cause.GATEWAY_FAILING), WELL, seen).may_close is closes


def test_a_blind_run_is_no_good_run() -> None:
    """Missing data is not health (safety rule 2)."""
    seen = with_past((observation(),), history=(past(2), past(1, status="blind")))
    blind = Diagnosis(status=Status.BLIND)

    assert not may_close(incident(Cause.SERVICE_DOWN), WELL, seen).may_close
    assert not may_close(incident(Cause.SERVICE_DOWN), blind, seen).may_close


def test_a_gateway_that_is_gone_and_one_that_flaps_are_the_same_trouble() -> None:
    """The first look sees it gone, the third that it flaps: the desk reads one thread."""
    gone = incident(Cause.DEPENDENCY_UNREACHABLE)
    seen = with_past((observation(),), history=(bad(2), bad(1)))
    flapping = Diagnosis(status=Status.DEGRADED, findings=(finding(Cause.GATEWAY_FAILING),))

    assert same_trouble(gone, finding(Cause.GATEWAY_FAILING))
    assert not same_trouble(gone, finding(Cause.SERVICE_HUNG))
    assert not may_close(gone, flapping, seen).may_close


def test_a_paused_class_proves_nothing_of_its_gateway() -> None:
    """No order went there, so nobody knows; it stays open until a person trades again."""
    halted = order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})
    seen = with_past((observation(orders=(halted,)),), history=(past(2), past(1)))

    verdict = may_close(incident(Cause.GATEWAY_FAILING), WELL, seen)

    assert not verdict.may_close
    assert [one.name for one in verdict.kept] == ["equity"]
