"""What tightens and did not arrive is done again or let go: it keeps no other action off, and waits for no person."""

from datetime import timedelta

import pytest

from tasks.model.incidents.incident import TIGHTENERS, Action, ActionRecord, IncidentState, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Target
from tasks.model.remediation.remediation import ActionResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.transitions import half_done
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.due import may_follow
from tests.fakes.incident.cases import done_before, finding, inputs, planned
from tests.fakes.incident.observations import NOW

PAUSES = tuple(done_before(one, Outcome.UNKNOWN, Action.PAUSE_STRATEGIES) for one in (1, 2, 3, 4))
TARGET = {Action.MARK_DEGRADED: Target(gateway="XNAS"), Action.DISABLE_FEATURE: Target(feature="f")}


def ended(action: Action, outcome: Outcome) -> ActionResult:
    """One action of this run that ended so."""
    target = TARGET.get(action, Target(asset_class=AssetClass.EQUITY))
    return ActionResult(planned=planned(action, target=target), outcome=outcome, detail="x")


def test_pauses_that_a_hung_service_never_answered_do_not_keep_its_restart_off() -> None:
    """Four lost pauses held the one remedy back until somebody typed `rearm`."""
    assert evaluate(planned(), inputs(*PAUSES)).allowed


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN])
def test_only_an_action_that_may_have_changed_the_service_itself_waits_for_a_person(
    action: Action, outcome: Outcome | None
) -> None:
    """Rule 4 for a restart that was cut off; rule 8 for a pause."""
    before = done_before(600, outcome, action)
    verdict = evaluate(planned(), inputs(before))
    incident = IncidentState(incident_id="I", service="s", state="opened", opened_at=NOW, actions=(before,))

    assert verdict.allowed is (action in TIGHTENERS)
    assert verdict.allowed or verdict.code is GuardCode.HALF_DONE_ACTION
    assert bool(half_done(incident)) is (action not in TIGHTENERS)
    assert not before.model_copy(update={"settled": True}).is_half_done


@pytest.mark.parametrize("action", Action)
def test_an_action_whose_end_is_known_is_not_half_done(action: Action) -> None:
    """Else everything that was ever refused would wait for a person."""
    for outcome in set(Outcome) - {Outcome.UNKNOWN}:
        record = ActionRecord(key="k", action=action, started_at=NOW, finished_at=NOW, outcome=outcome)
        assert not record.is_half_done
    assert not ActionRecord(key="k", action=action, started_at=NOW - timedelta(1), settled=True).is_half_done


@pytest.mark.parametrize("action", Action)
def test_a_lost_pause_or_mark_lets_the_restart_of_the_same_run_follow(action: Action) -> None:
    """The restart is what the hung service needs; a lost restart goes to a person, and so does what did not help."""
    restart = planned(found=finding())

    assert may_follow(restart, [ended(action, Outcome.UNKNOWN)]) is (action in TIGHTENERS)
    assert not may_follow(restart, [ended(action, Outcome.NOT_RECOVERED)])
    assert may_follow(restart, [ended(action, Outcome.DONE)])
