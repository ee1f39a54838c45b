"""How far a drill has come: the automation is waited for until it has done all, and proven it."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.drills.drills import DrillName
from tasks.model.incidents.incident import Action, LedgerRecord, Outcome
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.scoring import has_reacted
from tests.tasks.drills.trace import done, named, restarted

STOPPED, KILLED = drill_of(DrillName.SERVICE_STOPPED), drill_of(DrillName.GATEWAY_KILLED)
HUNG = named(Cause.SERVICE_HUNG, Audience.TIER_1)
MARKED = done(Action.MARK_DEGRADED, 10, Outcome.DONE, target="CRYP")
PAUSED = done(Action.PAUSE_STRATEGIES, 11, Outcome.DONE, target="crypto halted")


def test_a_restart_that_is_proven_is_the_end() -> None:
    """What comes after it is the healing's."""
    assert has_reacted(STOPPED, restarted())


@pytest.mark.parametrize(
    "records",
    [
        (),
        HUNG,
        (*HUNG, *done(Action.RESTART_SERVICE, 10)),
        (*HUNG, *done(Action.RESTART_SERVICE, 10, Outcome.DONE)),
        (*HUNG, *done(Action.PAUSE_STRATEGIES, 10, Outcome.DONE)),
    ],
    ids=["nothing", "found", "begun", "done and not proven", "another action"],
)
def test_a_restart_that_is_not_proven_is_waited_for(records: tuple[LedgerRecord, ...]) -> None:
    """Healing in its middle would be scored as the automation's recovery."""
    assert not has_reacted(STOPPED, records)


@pytest.mark.parametrize("end", [Outcome.NOT_RECOVERED, Outcome.UNKNOWN, Outcome.REFUSED])
def test_a_restart_that_did_not_help_is_an_end_too(end: Outcome) -> None:
    """A drill that waits for ever scores nothing."""
    assert has_reacted(STOPPED, (*HUNG, *done(Action.RESTART_SERVICE, 10, Outcome.DONE, end)))


def test_every_expected_action_is_waited_for() -> None:
    """A gateway that is marked, with its class still trading into it, is half of the answer."""
    assert not has_reacted(KILLED, MARKED)
    assert has_reacted(KILLED, (*MARKED, *PAUSED))


def test_an_action_that_is_still_under_way_is_waited_for() -> None:
    """Whatever it is: healing beside it would be two hands at one service."""
    assert not has_reacted(KILLED, (*MARKED, *PAUSED, *done(Action.REROUTE_ORDERS, 12)))


def test_any_one_of_the_expected_sets_is_enough() -> None:
    """Equity is led around its gateway where that is safe, and paused where it is not."""
    drill = drill_of(DrillName.GATEWAY_KILLED_WITH_ALTERNATE)

    assert has_reacted(drill, (*MARKED, *PAUSED))
    assert has_reacted(drill, (*MARKED, *done(Action.REROUTE_ORDERS, 12, Outcome.DONE, Outcome.RECOVERED)))


def test_there_is_nothing_to_wait_for_in_a_control() -> None:
    """Nothing is the right answer."""
    assert has_reacted(drill_of(DrillName.CONTROL_LATENCY), ())
