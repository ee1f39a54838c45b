"""The drills as they are written down: complete, and never asking for what the runbook forbids."""

import pytest

from tasks.model.drills.drills import Drill, DrillContext, DrillName, Injection
from tasks.model.incidents.incident import Action
from tasks.rules.drills.catalogue import DRILLS, drill_of, triages_count
from tests.tasks.drills.trace import context

FAULTS = [one for one in DRILLS.values() if not one.expected.is_control]
CONTROLS = [one for one in DRILLS.values() if one.expected.is_control]


def test_every_name_of_the_form_is_a_drill() -> None:
    """A person who chooses it in the Prefect UI gets what the name says."""
    assert {name: drill_of(name).name for name in DrillName} == {name: name for name in DrillName}


@pytest.mark.parametrize("drill", FAULTS, ids=lambda one: one.name)
def test_a_drill_forbids_all_that_it_does_not_expect_but_a_pause(drill: Drill) -> None:
    """Whatever nobody thought of counts as forbidden, not as allowed."""
    expected = frozenset[Action]().union(*drill.expected.actions)

    assert drill.expected.forbidden == frozenset(Action) - expected - {Action.PAUSE_STRATEGIES}
    assert all(drill.expected.actions)
    assert drill.expected.tier
    assert drill.row


@pytest.mark.parametrize("drill", CONTROLS, ids=lambda one: one.name)
def test_a_control_forbids_every_action(drill: Drill) -> None:
    """Nothing may be done where nothing is wrong, not even a pause."""
    assert drill.expected.forbidden == frozenset(Action)
    assert drill.expected.tier is None


@pytest.mark.parametrize("drill", [one for one in FAULTS if one.row in range(10, 17)], ids=lambda one: one.name)
def test_a_sick_gateway_never_asks_for_a_restart_or_a_rollback(drill: Drill) -> None:
    """Safety rule 6."""
    assert {Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE} <= drill.expected.forbidden


@pytest.mark.parametrize("drill", DRILLS.values(), ids=lambda one: one.name)
def test_every_step_has_what_its_kind_needs(drill: Drill) -> None:
    """A drill that stops in its middle leaves the stack broken."""
    for step in drill.steps:
        of_gateway = step.what in {Injection.STOP_GATEWAY, Injection.KILL_GATEWAY, Injection.SWITCH_FAULT}
        assert bool(step.gateway) is of_gateway
        assert bool(step.switch) is (step.what is Injection.SWITCH_FAULT)
        assert (step.spoil is not None) is (step.what is Injection.SPOIL_TABLE)
        assert (step.for_s > 0) is (step.what is Injection.BLINK_SERVICE)


def test_a_control_is_looked_at_once_and_a_fault_until_it_was_acted_on() -> None:
    """Looking at a control four times would let three of them pass unseen."""
    control, fault = context(DrillName.CONTROL_LATENCY), context(DrillName.GATEWAY_KILLED)

    assert triages_count(control) == 1
    assert triages_count(fault) > 1
    assert triages_count(fixed(fault)) > triages_count(fault)


def fixed(one: DrillContext) -> DrillContext:
    """The same after it was healed."""
    return one.model_copy(update={"healed_at": one.opened_at})
