"""Which guards each action has to pass, written down once more by name: none drops out of the table unseen.

`test_each_guard_alone` proves that each guard of the table forbids; it goes by the table, and so cannot miss one.
"""

import pytest

from tasks.model.incidents.incident import Action
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import GUARDS, TIGHTENING_BY_HAND, evaluate
from tests.fakes.incident.cases import inputs, planned, unreachable

OF_EACH = "target_is_named nothing_under_way not_late mode_allows"
OF_AUTOMATION = f"{OF_EACH} no_maintenance confirmed not_undone"
OF_CHANGES = f"{OF_AUTOMATION} nothing_half_done remediation_helps effect_proven"
EXPECTED = {
    Action.RESTART_SERVICE: f"{OF_CHANGES} can_restart no_shared_cause neighbors_healthy restart_budget orders_proven",
    Action.MARK_DEGRADED: f"{OF_AUTOMATION} never_loosens can_control",
    Action.PAUSE_STRATEGIES: f"{OF_AUTOMATION} never_loosens can_control",
    Action.RESTORE_ROUTING: f"{OF_CHANGES} can_control",
    Action.DISABLE_FEATURE: f"{OF_CHANGES} can_control",
    Action.REROUTE_ORDERS: (
        f"{OF_CHANGES} can_control not_stale nothing_set_since alternate_is_approved alternate_is_healthy"
        " market_is_open bears_the_load orders_proven"
    ),
    Action.ROLL_BACK_RELEASE: (
        f"{OF_CHANGES} can_roll_back can_restart not_rolled_back_before no_shared_cause neighbors_healthy"
        " gateways_healthy target_was_healthy same_features same_routing same_table orders_proven"
    ),
    Action.RESUME: (
        f"{OF_EACH} operator_only nothing_half_done can_control not_stale sees_what_is_in_force nothing_set_since"
        " class_is_healthy"
    ),
}


@pytest.mark.parametrize("action", sorted(Action))
def test_no_guard_of_an_action_is_missing(action: Action) -> None:
    """A guard that is dropped by a slip lets the automation do what it must not, and no other test would notice."""
    assert set(EXPECTED[action].split()) <= {guard.__name__ for guard in GUARDS[action]}


def test_what_a_person_tightens_is_held_to_its_target_its_effect_and_the_door_alone() -> None:
    """Anything more would hold a halt up."""
    assert [guard.__name__ for guard in TIGHTENING_BY_HAND] == ["target_is_named", "never_loosens", "can_control"]


def test_a_halt_that_the_automation_planned_passes_all_its_guards_also_where_a_person_started_the_run() -> None:
    """Only an order of a person's own is held to less; a plan out of a diagnosis keeps its mode and its window."""
    halt = planned(Action.PAUSE_STRATEGIES, unreachable("XNAS"), Target(asset_class=AssetClass.EQUITY))
    asked = inputs(asked=Request(by="kim", reason="look"), mode=Mode.OBSERVE)

    assert evaluate(halt, asked).code is GuardCode.MODE_FORBIDS
    assert evaluate(halt.model_copy(update={"finding": None}), asked).allowed


def test_what_is_allowed_says_what_allowed_it() -> None:
    """Guards with nothing to say leave no gap between the reasons."""
    told = evaluate(planned(), inputs()).detail.split("; ")

    assert told == ["cause=service_hung confirmed", "RESTARTS_LEFT: left=2", "orders=safe", "mode=act"]
