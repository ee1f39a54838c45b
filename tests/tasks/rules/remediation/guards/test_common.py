"""The guards that hold for nearly every action: each test goes red when its guard is forced open."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Kind
from tasks.model.incidents.incident import Action, ActionRecord, Event, IncidentState, Outcome
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.every_action import effect_proven, not_undone
from tests.fakes.incident.cases import INCIDENT, done_before, finding, inputs, planned, routing, seen, unreachable
from tests.fakes.incident.observations import NOW

MARK = Target(gateway="XNAS")


def test_a_confirmed_hang_may_be_restarted() -> None:
    """With every guard satisfied the restart goes on."""
    assert evaluate(planned(), inputs()).allowed


@pytest.mark.parametrize("confidence", [Confidence.LIKELY, Confidence.INCONCLUSIVE])
def test_only_a_confirmed_cause_is_acted_on(confidence: Confidence) -> None:
    """Rules 1 and 2: likely is not enough to kill a trading process."""
    unsure = finding(confidence=confidence)
    verdict = evaluate(planned(found=unsure), inputs())

    assert verdict.code is GuardCode.NOT_CONFIRMED
    assert f"found {confidence} cause=service_hung" in verdict.detail


@pytest.mark.parametrize("action", [Action.RESTART_SERVICE, Action.PAUSE_STRATEGIES])
def test_an_action_for_which_nobody_names_a_cause_is_a_persons_alone(action: Action) -> None:
    """Without a finding and without a name under it nobody could say why it was done."""
    nobodys = planned(action, target=Target(asset_class=AssetClass.EQUITY)).model_copy(update={"finding": None})
    verdict = evaluate(nobodys, inputs())

    assert verdict.code is GuardCode.NOT_CONFIRMED
    assert "found no cause" in verdict.detail
    assert evaluate(nobodys, inputs(asked=Request(by="kim", reason="venue called"))).allowed


def test_a_late_run_never_acts() -> None:
    """Rule 11: what was true at the scheduled time may not be true any more."""
    assert evaluate(planned(), inputs(late_s=30.1)).code is GuardCode.RUN_LATE
    assert evaluate(planned(), inputs(late_s=30.0)).allowed


@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN])
def test_an_action_that_failed_midway_goes_to_a_person(outcome: Outcome | None) -> None:
    """Rule 4: what was begun and never finished is not tried again, however long ago."""
    assert evaluate(planned(), inputs(done_before(600, outcome))).code is GuardCode.HALF_DONE_ACTION


def test_two_actions_that_did_not_help_end_the_automation() -> None:
    """Rule 10: effect, not exit code."""
    in_vain = (done_before(200, Outcome.NOT_RECOVERED), done_before(100, Outcome.NOT_RECOVERED))
    yesterday = done_before(24 * 60 + 1, Outcome.NOT_RECOVERED)

    assert evaluate(planned(), inputs(*in_vain)).code is GuardCode.REMEDIATION_INEFFECTIVE
    assert evaluate(planned(), inputs(in_vain[1])).allowed
    assert evaluate(planned(), inputs(yesterday, in_vain[1])).allowed


def test_nothing_is_done_in_a_maintenance_window() -> None:
    """People work on the service: looking goes on, acting stops."""
    window = Maintenance(started_at=NOW, until=NOW + timedelta(hours=1), reason="new switch")

    assert evaluate(planned(), inputs(maintenance=window)).code is GuardCode.MAINTENANCE


def test_what_a_person_undid_is_not_done_again() -> None:
    """Somebody who took a mark back in the middle of an incident had a reason."""
    mark = planned(Action.MARK_DEGRADED, target=MARK)
    first, again = (done_before(n, Outcome.RECOVERED, Action.MARK_DEGRADED, key=mark.key) for n in (9, 5))
    verdict = evaluate(mark, inputs(first, again))

    assert verdict.code is GuardCode.UNDONE_BY_PERSON
    assert "done at 2026-11-23T14:55:00" in verdict.detail
    for outcome, allowed in ((Outcome.DONE, False), (Outcome.REFUSED, True), (Outcome.UNKNOWN, True)):
        before = done_before(5, outcome, Action.MARK_DEGRADED, key=mark.key)
        assert not_undone(mark, inputs(before)).allowed is allowed
        assert not_undone(mark, inputs(before, asked=Request(by="kim", reason="sick again"))).allowed


def test_a_restart_that_was_done_in_this_incident_may_be_done_again() -> None:
    """It leaves nothing in force that a person could have undone; its budget is what bounds it."""
    assert evaluate(planned(), inputs(done_before(60, Outcome.RECOVERED, key=planned().key))).allowed


def test_observe_never_acts() -> None:
    """Rule 12: the switch forbids, whatever the evidence and whoever approved."""
    approved = Approval(answer=ApprovalAnswer.APPROVED, by="kim")

    assert evaluate(planned(), inputs(mode=Mode.OBSERVE, approval=approved)).code is GuardCode.MODE_FORBIDS


def test_propose_acts_only_when_approved() -> None:
    """Rule 12: in propose mode a person decides."""
    approved, rejected = (Approval(answer=one, by="kim") for one in (ApprovalAnswer.APPROVED, ApprovalAnswer.REJECTED))

    assert evaluate(planned(), inputs(mode=Mode.PROPOSE)).code is GuardCode.APPROVAL_NEEDED
    assert evaluate(planned(), inputs(mode=Mode.PROPOSE, approval=approved)).allowed
    assert evaluate(planned(), inputs(mode=Mode.PROPOSE, approval=rejected)).code is GuardCode.REJECTED_BY_PERSON


def test_nobodys_answer_lets_only_a_pause_go_on() -> None:
    """Rule 12: expiry takes the safe branch."""
    expired = inputs(mode=Mode.PROPOSE, approval=Approval(answer=ApprovalAnswer.EXPIRED))
    pause = planned(Action.PAUSE_STRATEGIES, target=Target(strategy="alpha"))

    assert evaluate(planned(), expired).code is GuardCode.APPROVAL_EXPIRED
    assert evaluate(pause, expired).allowed


def test_a_person_passes_a_guard_by_only_by_naming_it() -> None:
    """The form names the guard, and the ledger keeps that it was passed by."""
    late = inputs(late_s=60.0, asked=Request(by="kim", reason="venue called", overrides=(GuardCode.RUN_LATE,)))
    unnamed = inputs(late_s=60.0, asked=Request(by="kim", reason="venue called"))

    assert evaluate(planned(), unnamed).code is GuardCode.RUN_LATE
    assert evaluate(planned(), late).allowed
    assert "RUN_LATE overridden" in evaluate(planned(), late).detail


def test_a_stranger_on_the_services_port_is_never_sent_the_token() -> None:
    """Not even to pause: the service is gone, and the stranger would read what opens its control plane."""
    stranger = finding(Cause.INFRASTRUCTURE, kinds=(Kind.PORT,), because=("its port is held by pid=7 name=nc",))
    pause = planned(Action.PAUSE_STRATEGIES, stranger, Target(strategy="alpha"))

    verdict = evaluate(pause, inputs(found=(stranger,)))

    assert verdict.code is GuardCode.NOT_AVAILABLE
    assert "pid=7" in verdict.detail
    assert evaluate(pause, inputs()).allowed


def resumed(by: str = "kim", minutes_ago: float = 1.0) -> Restriction:
    """A class that somebody let trade again."""
    at = NOW - timedelta(minutes=minutes_ago)
    return Restriction(kind=Held.TRADING, name="equity", state="active", set_by=by, set_at=at)


@pytest.mark.parametrize(
    ("lifted", "opened_minutes_ago", "allowed"),
    [
        (resumed(), 5, False),
        (resumed(minutes_ago=5), 5, False),
        (resumed(), 0.5, True),
        (resumed(), None, True),
        (resumed(by="triage"), 5, True),
    ],
    ids=["in this incident", "with its opening", "before this incident", "a new incident", "by the automation"],
)
def test_what_a_person_resumed_in_an_incident_is_not_paused_again_in_it(
    lifted: Restriction, opened_minutes_ago: float | None, allowed: bool
) -> None:
    """Kim resumed equity with open eyes; 3.5 s later the minute's run undid it, and told nobody."""
    pause = planned(Action.PAUSE_STRATEGIES, unreachable("XNAS"), Target(asset_class=AssetClass.EQUITY))
    opened = () if opened_minutes_ago is None else (opened_at(opened_minutes_ago),)
    verdict = evaluate(pause, inputs(seen=seen(routing=routing(lifted=(lifted,))), open_incidents=opened))

    assert verdict.allowed is allowed
    if not allowed:
        assert verdict.code is GuardCode.UNDONE_BY_PERSON
        assert "equity was resumed by kim" in verdict.detail


def opened_at(minutes_ago: float) -> IncidentState:
    """The incident of the plan, opened some minutes ago."""
    at = NOW - timedelta(minutes=minutes_ago)
    return IncidentState(incident_id=INCIDENT, service="order-service", state=Event.OPENED, opened_at=at)


@pytest.mark.parametrize(("began_s", "allowed"), [(0.0, True), (1.0, True), (-0.001, False)])
def test_re_routes_of_one_run_do_not_wait_for_each_others_proof(began_s: float, allowed: bool) -> None:
    """The second class of a dead gateway is led elsewhere at once; one that an earlier run left unproven is not."""
    other = ActionRecord(
        key="INC-1/reroute_orders/fx-XCME",
        action=Action.REROUTE_ORDERS,
        started_at=NOW + timedelta(seconds=began_s),
        finished_at=NOW,
        outcome=Outcome.DONE,
    )
    mine = planned(Action.REROUTE_ORDERS, unreachable("XNAS"), Target(asset_class=AssetClass.EQUITY, gateway="XNYS"))

    assert effect_proven(mine, inputs(other, planned_at=NOW)).allowed is allowed
    assert not effect_proven(mine, inputs(other)).allowed
    assert not effect_proven(planned(), inputs(other, planned_at=NOW)).allowed
