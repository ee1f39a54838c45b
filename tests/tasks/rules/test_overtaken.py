"""A run that looks while another one restarts the service sees the restart, and must page nobody for it."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incident import Action, ActionRecord, Event, IncidentState, Outcome
from tasks.rules.incident_changes import OpenLedger, incident_changes
from tests.fakes.looks import NOW, three

SERVICE = "order-service"
# The run looks at 0, 2 and 4 s.
SEEN = three()


def found(confidence: Confidence = Confidence.INCONCLUSIVE, cause: Cause = Cause.UNKNOWN) -> Diagnosis:
    """What the looks came to: connections that ended early, for no reason that a rule knows."""
    finding = Finding(cause=cause, confidence=confidence, because=("cut off",), section="§3", tier=Audience.TIER_2)
    return Diagnosis(status=Status.DEGRADED, findings=(finding,))


def restarted(from_s: float, until_s: float | None, action: Action = Action.RESTART_SERVICE) -> IncidentState:
    """An incident that is over by now, with one action in it."""
    ended_at = None if until_s is None else NOW + timedelta(seconds=until_s)
    done = ActionRecord(
        key="k", action=action, started_at=NOW + timedelta(seconds=from_s), finished_at=ended_at,
        outcome=Outcome.RECOVERED if ended_at else None,
    )  # fmt: skip
    return IncidentState(
        incident_id="INC-1", service=SERVICE, state=Event.CLOSED, opened_at=NOW - timedelta(minutes=1),
        closed_at=NOW + timedelta(seconds=5), causes=(Cause.SERVICE_HUNG,), actions=(done,),
    )  # fmt: skip


def opens(diagnosis: Diagnosis, *closed: IncidentState, acting: bool = False) -> bool:
    """Say whether an incident is opened."""
    held = OpenLedger(service=SERVICE, now=NOW + timedelta(seconds=6), closed=closed, acting=acting)
    changes = incident_changes(diagnosis, SEEN, held, lambda _: "INC-2")
    return Event.OPENED in [one.event for one in changes]


@pytest.mark.parametrize(
    ("from_s", "until_s"), [(-20, 1), (1, 3), (-20, 30), (4, 30)], ids=["end", "middle", "all of it", "begin"]
)
def test_what_was_seen_during_a_restart_opens_no_incident(from_s: float, until_s: float) -> None:
    """The first incident was closed a second ago; a second page for its echo is one too many."""
    assert not opens(found(), restarted(from_s, until_s))


@pytest.mark.parametrize(("from_s", "until_s"), [(-60, -1), (5, 30)], ids=["before", "after"])
def test_what_was_seen_before_or_after_it_does(from_s: float, until_s: float) -> None:
    """Nobody had a hand in it then."""
    assert opens(found(), restarted(from_s, until_s))


def test_a_rollback_stops_the_service_too_and_a_pause_does_not() -> None:
    """A pause leaves all that the looks ask for as it was."""
    assert not opens(found(), restarted(1, 3, Action.ROLL_BACK_RELEASE))
    assert opens(found(), restarted(1, 3, Action.PAUSE_STRATEGIES))


def test_a_restart_that_is_under_way_counts_and_one_that_was_left_half_done_does_not() -> None:
    """A run that was killed in its middle would else keep every later trouble from being told."""
    assert not opens(found(), restarted(-20, None), acting=True)
    assert opens(found(), restarted(-20, None))


def test_a_confirmed_finding_is_never_held_back() -> None:
    """A gateway that died during the restart is down whoever restarts what."""
    sure = found(Confidence.CONFIRMED, Cause.DEPENDENCY_UNREACHABLE)

    assert opens(sure, restarted(1, 3))


def test_without_any_action_what_no_rule_explains_is_told() -> None:
    """The rule takes nothing away from the ordinary case."""
    assert opens(found())
