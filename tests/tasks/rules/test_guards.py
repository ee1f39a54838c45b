"""The guards of a restart: each test goes red when its guard is forced open."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incident import Action, ActionRecord, Outcome
from tasks.model.limits import RestartLimits
from tasks.model.modes import Mode
from tasks.model.verdicts import GuardCode
from tasks.rules.action_history import ActionHistory
from tasks.rules.guards import RestartCase, may_restart
from tests.fakes.looks import NOW


def finding(confidence: Confidence = Confidence.CONFIRMED, gateways: tuple[str, ...] = ()) -> Finding:
    """A hung service."""
    return Finding(
        cause=Cause.SERVICE_HUNG,
        confidence=confidence,
        because=("silent", "stopped"),
        section="§2.1",
        tier=Audience.TIER_1,
        gateways=gateways,
    )


def restart(minutes_ago: float, outcome: Outcome | None = Outcome.RECOVERED) -> ActionRecord:
    """One earlier restart; without an outcome its end was never seen."""
    began_at = NOW - timedelta(minutes=minutes_ago)
    ended_at = began_at if outcome else None
    return ActionRecord(
        key=f"k{minutes_ago}", action=Action.RESTART_SERVICE, started_at=began_at, finished_at=ended_at, outcome=outcome
    )


def case(*restarts: ActionRecord, **changes: object) -> RestartCase:
    """A case in which every guard allows, with changes."""
    facts: dict[str, object] = {
        "finding": finding(),
        "diagnosis": Diagnosis(status=Status.CRITICAL, findings=(finding(),)),
        "mode": Mode.ACT,
        "approved": False,
        "late_s": 0.0,
        "late_after_s": 30.0,
        "history": ActionHistory(actions=restarts),
        "limits": RestartLimits(),
        **changes,
    }
    return RestartCase.model_validate(facts)


def test_a_confirmed_hang_may_be_restarted() -> None:
    """With every guard satisfied the restart goes on."""
    assert may_restart(case(), NOW).allowed


@pytest.mark.parametrize("confidence", [Confidence.LIKELY, Confidence.INCONCLUSIVE])
def test_only_a_confirmed_cause_is_acted_on(confidence: Confidence) -> None:
    """Rules 1 and 2: likely is not enough to kill a trading process."""
    assert may_restart(case(finding=finding(confidence)), NOW).code is GuardCode.NOT_CONFIRMED


def test_two_sick_gateways_forbid_every_restart() -> None:
    """Rule 6: two at once point to a shared cause, which a restart does not mend."""
    sick = Diagnosis(status=Status.CRITICAL, findings=(finding(), finding(gateways=("XNAS", "XCME"))))

    assert may_restart(case(diagnosis=sick), NOW).code is GuardCode.SHARED_CAUSE


def test_one_sick_gateway_does_not_forbid_the_restart_of_a_hung_service() -> None:
    """A hung service beside one dead gateway is restarted once, then degraded."""
    sick = Diagnosis(status=Status.CRITICAL, findings=(finding(), finding(gateways=("XNAS",))))

    assert may_restart(case(diagnosis=sick), NOW).allowed


def test_a_late_run_never_acts() -> None:
    """Rule 11: what was true at the scheduled time may not be true any more."""
    assert may_restart(case(late_s=30.1), NOW).code is GuardCode.RUN_LATE
    assert may_restart(case(late_s=30.0), NOW).allowed


def test_a_third_restart_in_the_window_goes_to_a_person() -> None:
    """Rule 4: a service that needs a third restart is not helped by one."""
    assert may_restart(case(restart(2), restart(9)), NOW).code is GuardCode.RESTART_BUDGET_SPENT


def test_restarts_outside_the_window_do_not_count_against_it() -> None:
    """The window slides: two restarts an hour ago leave the budget whole."""
    assert may_restart(case(restart(60), restart(61)), NOW).allowed


def test_a_fifth_restart_in_a_day_goes_to_a_person() -> None:
    """Rule 4: slow crash loops are caught by the budget of the day."""
    assert may_restart(case(*(restart(120 * n) for n in (1, 2, 3, 4))), NOW).code is GuardCode.RESTART_BUDGET_SPENT


@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN])
def test_an_action_that_failed_midway_goes_to_a_person(outcome: Outcome | None) -> None:
    """Rule 4: a restart that was begun and never finished is not tried again, however long ago."""
    assert may_restart(case(restart(600, outcome)), NOW).code is GuardCode.HALF_DONE_ACTION


def test_two_restarts_that_did_not_help_end_the_automation() -> None:
    """Rule 10: effect, not exit code."""
    in_vain = case(restart(200, Outcome.NOT_RECOVERED), restart(100, Outcome.NOT_RECOVERED))

    assert may_restart(in_vain, NOW).code is GuardCode.RESTART_INEFFECTIVE


def test_observe_never_acts() -> None:
    """Rule 12: the switch forbids, whatever the evidence."""
    assert may_restart(case(mode=Mode.OBSERVE, approved=True), NOW).code is GuardCode.MODE_FORBIDS


def test_propose_acts_only_when_approved() -> None:
    """Rule 12: in propose mode a person decides."""
    assert may_restart(case(mode=Mode.PROPOSE), NOW).code is GuardCode.APPROVAL_NEEDED
    assert may_restart(case(mode=Mode.PROPOSE, approved=True), NOW).allowed


def test_approval_does_not_open_the_other_guards() -> None:
    """A yes in a form answers the mode, not the budget."""
    spent = case(restart(2), restart(9), mode=Mode.PROPOSE, approved=True)

    assert may_restart(spent, NOW).code is GuardCode.RESTART_BUDGET_SPENT
