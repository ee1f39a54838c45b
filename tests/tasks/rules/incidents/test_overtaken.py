"""A run that looks while another one restarts the service sees the restart, and must page nobody for it."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, ActionRecord, Event, IncidentState, Outcome
from tasks.rules.incidents.transitions import OpenLedger, incident_changes
from tests.fakes.incident.observations import NOW, three

SERVICE = "order-service"
# The run looks at 0, 2 and 4 s.
SEEN = three()


def found(confidence: Confidence = Confidence.INCONCLUSIVE, cause: Cause = Cause.UNKNOWN) -> Diagnosis:
    """What the checks came to: connections that ended early, for no reason that a rule knows."""
    finding = Finding(cause=cause, confidence=confidence, because=("cut off",), section="§3", tier=Audience.TIER_2)
    return Diagnosis(status=Status.DEGRADED, findings=(finding,))


def restarted(
    from_s: float,
    until_s: float | None,
    action: Action = Action.RESTART_SERVICE,
    outcome: Outcome = Outcome.RECOVERED,
) -> IncidentState:
    """An incident that is over by now, with one action in it."""
    ended_at = None if until_s is None else NOW + timedelta(seconds=until_s)
    done = ActionRecord(
        key="k", action=action, started_at=NOW + timedelta(seconds=from_s), finished_at=ended_at,
        outcome=outcome if ended_at else None,
    )  # fmt: skip
    return IncidentState(
        incident_id="INC-1", service=SERVICE, state=Event.CLOSED, opened_at=NOW - timedelta(minutes=1),
        closed_at=NOW + timedelta(seconds=5), causes=(Cause.SERVICE_HUNG,), actions=(done,),
    )  # fmt: skip


def opens(diagnosis: Diagnosis, *closed: IncidentState, acting: bool = False, seen: Evidence = SEEN) -> bool:
    """Say whether an incident is opened."""
    held = OpenLedger(service=SERVICE, now=NOW + timedelta(seconds=6), closed=closed, acting=acting)
    changes = incident_changes(diagnosis, seen, held, lambda _: "INC-2")
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


@pytest.mark.parametrize("action", list(Action))
def test_an_order_that_ends_oddly_during_an_action_of_ours_is_no_second_incident(action: Action) -> None:
    """A pause or a re-route in its middle ends an order as no rule explains; tier 2 need not be woken for it."""
    for confidence in Confidence:
        assert not opens(found(confidence), restarted(1, 3, action))
        assert opens(found(confidence), restarted(-60, -1, action))


@pytest.mark.parametrize("action", [Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE])
@pytest.mark.parametrize(
    "cause", [Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.GATEWAY_FAILING, Cause.OBSERVABILITY_FAULT, Cause.UNKNOWN]
)
def test_three_looks_that_all_fell_into_our_own_restart_confirm_nothing(action: Action, cause: Cause) -> None:
    """A run that looked only while we stopped and started the service opens no second incident, however sure it is."""
    assert not opens(found(Confidence.CONFIRMED, cause), restarted(-20, 30, action))


@pytest.mark.parametrize("cause", sorted(set(Cause) - {Cause.UNKNOWN}))
def test_a_pause_explains_no_cause_that_has_a_name(cause: Cause) -> None:
    """A service that dies while a class is paused is reported at once."""
    assert opens(found(Confidence.CONFIRMED, cause), restarted(1, 3, Action.PAUSE_STRATEGIES))
    assert opens(found(Confidence.INCONCLUSIVE, cause), restarted(1, 3, Action.PAUSE_STRATEGIES))


@pytest.mark.parametrize(
    "cause", [Cause.DEPENDENCY_UNREACHABLE, Cause.ROUTING_MISCONFIGURED, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE]
)
def test_what_a_restart_cannot_explain_is_never_held_back(cause: Cause) -> None:
    """A gateway that died during the restart is down whoever restarts what."""
    assert opens(found(Confidence.CONFIRMED, cause), restarted(1, 3))


@pytest.mark.parametrize(("from_s", "opened"), [(9, False), (9.1, True)])
def test_a_look_lasts_until_its_last_answer(from_s: float, *, opened: bool) -> None:
    """An order that waits five seconds for its answer sees the restart that begins."""
    *first, last = SEEN.observations
    lasting = last.model_copy(update={"ended_at": NOW + timedelta(seconds=9)})
    seen = SEEN.model_copy(update={"observations": (*first, lasting)})

    assert opens(found(Confidence.CONFIRMED), restarted(from_s, 30), seen=seen) is opened


@pytest.mark.parametrize(("until_s", "opened"), [(0, False), (-0.1, True)])
def test_an_action_counts_to_its_very_end(until_s: float, *, opened: bool) -> None:
    """A moment later nobody has a hand in what is seen."""
    assert opens(found(), restarted(-20, until_s)) is opened


def test_a_restart_that_is_done_and_not_proven_is_still_under_way() -> None:
    """The new process starts: what is seen before it has answered is the restart, for as long as the lock is held."""
    deed_done = restarted(-20, -5, outcome=Outcome.DONE)

    assert not opens(found(), deed_done, acting=True)
    assert opens(found(), deed_done)
    for proven in (Outcome.RECOVERED, Outcome.NOT_RECOVERED, Outcome.UNKNOWN):
        assert opens(found(), restarted(-20, -5, outcome=proven), acting=True)


def test_a_restart_that_is_under_way_counts_and_one_that_was_left_half_done_does_not() -> None:
    """A run that was killed in its middle would else keep every later trouble from being reported."""
    assert not opens(found(), restarted(-20, None), acting=True)
    assert opens(found(), restarted(-20, None))


def test_without_any_action_what_no_rule_explains_is_told() -> None:
    """The rule takes nothing away from the ordinary case."""
    assert opens(found())
