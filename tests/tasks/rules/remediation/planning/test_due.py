"""What is due after what, what may follow, and what the whole came to."""

import pytest

from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import TIGHTENERS, Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Due, Plan, PlannedAction, Request, Target
from tasks.model.remediation.remediation import ActionResult, EvidenceSnapshot, Lease, Recovery, RemediationCase
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.incidents.action_history import PROVEN_AFTERWARDS
from tasks.rules.remediation.planning.due import (
    ends_incident,
    evidence_first,
    input_is_back,
    is_due,
    lock_words,
    may_follow,
    must_stop,
    needs_proof,
    not_tried,
    proven_with_others,
    sum_up,
    waits_for_nobody,
    worth_trying,
)
from tasks.rules.remediation.planning.propose import instead
from tests.fakes.incident.cases import planned
from tests.fakes.incident.observations import NOW, process

RESTART = planned()
REROUTE = planned(Action.REROUTE_ORDERS, target=Target(asset_class=AssetClass.EQUITY, gateway="XNYS"))
PAUSE = planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.EQUITY))
PROVEN = (Outcome.RECOVERED, Outcome.NOT_RECOVERED, Outcome.UNKNOWN)


def ended(one: PlannedAction = RESTART, outcome: Outcome = Outcome.DONE, code: GuardCode | None = None) -> ActionResult:
    """One action that ended so."""
    return ActionResult(planned=one, outcome=outcome, detail=f"{one.action} {outcome}", code=code)


def proven(one: PlannedAction, outcome: Outcome) -> ActionResult:
    """One that was done, and whose effect was looked at."""
    recovery = Recovery.model_construct(outcome=outcome, detail=f"proof {outcome}")
    return ended(one).model_copy(update={"recovery": recovery})


@pytest.mark.parametrize(
    ("due", "before", "expected"),
    [
        (Due.ALWAYS, None, True),
        (Due.ALWAYS, ended(), True),
        (Due.IF_NOT_DONE, None, True),
        (Due.IF_NOT_DONE, ended(), False),
        (Due.IF_NOT_DONE, proven(RESTART, Outcome.RECOVERED), False),
        (Due.IF_NOT_DONE, proven(RESTART, Outcome.NOT_RECOVERED), True),
        (Due.IF_NOT_DONE, ended(outcome=Outcome.REFUSED), True),
        (Due.IF_INEFFECTIVE, None, False),
        (Due.IF_INEFFECTIVE, ended(), False),
        (Due.IF_INEFFECTIVE, proven(RESTART, Outcome.NOT_RECOVERED), True),
        (Due.IF_INEFFECTIVE, ended(outcome=Outcome.UNKNOWN), True),
        (Due.IF_INEFFECTIVE, ended(outcome=Outcome.REFUSED), False),
        (Due.IF_INEFFECTIVE, ended(outcome=Outcome.REFUSED, code=GuardCode.APPROVAL_EXPIRED), True),
        (Due.IF_EXPIRED, None, False),
        (Due.IF_EXPIRED, ended(outcome=Outcome.REFUSED), False),
        (Due.IF_EXPIRED, ended(outcome=Outcome.REFUSED, code=GuardCode.APPROVAL_EXPIRED), True),
        (Due.IF_EXPIRED, proven(RESTART, Outcome.NOT_RECOVERED), False),
    ],
)
def test_a_step_is_due_by_how_the_one_before_it_ended(due: Due, before: ActionResult | None, expected: bool) -> None:
    """The pause that stands in for a restart comes when the restart did not help, and not beside one that did."""
    step = instead(PAUSE, due, RESTART)

    assert is_due(step, (before,) if before else ()) is expected


@pytest.mark.parametrize(
    ("result", "again"),
    [
        (ended(PAUSE), False),
        (proven(PAUSE, Outcome.RECOVERED), False),
        (ended(PAUSE, Outcome.UNKNOWN), True),
        (ended(PAUSE, Outcome.REFUSED), True),
        (ended(planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.FX))), True),
        (ended(planned(Action.MARK_DEGRADED, target=PAUSE.target)), True),
    ],
)
def test_nothing_is_done_twice_in_a_run(result: ActionResult, again: bool) -> None:
    """Done is done; the same on another class, or another action on the same one, is something else."""
    assert is_due(PAUSE, (result,)) is again


@pytest.mark.parametrize("action", sorted(Action))
@pytest.mark.parametrize("outcome", sorted(Outcome))
def test_an_effect_is_proven_where_one_was_made(action: Action, outcome: Outcome) -> None:
    """An exit code is no effect; a pause has none but its own answer."""
    result = ended(planned(action), outcome)

    assert needs_proof(result) is (outcome is Outcome.DONE and action in PROVEN_AFTERWARDS)


def test_only_a_reroute_is_proven_together_with_the_others_and_only_once() -> None:
    """One class must not wait two minutes for the proof of another."""
    assert proven_with_others(ended(REROUTE))
    assert not proven_with_others(ended(RESTART))
    assert not proven_with_others(proven(REROUTE, Outcome.RECOVERED))
    assert not proven_with_others(ended(REROUTE, Outcome.REFUSED))


@pytest.mark.parametrize("outcome", sorted(Outcome))
@pytest.mark.parametrize("one", [RESTART, PAUSE])
def test_only_a_pause_follows_an_end_that_nobody_knows_or_that_did_not_help(
    outcome: Outcome, one: PlannedAction
) -> None:
    """Two actions in the dark, and nobody can say which one harmed."""
    lost = outcome is Outcome.UNKNOWN and one.action not in TIGHTENERS
    stops = lost or outcome is Outcome.NOT_RECOVERED
    result = ended(one, outcome)

    assert must_stop(result) is stops
    assert may_follow(REROUTE, (ended(), result)) is not stops
    assert may_follow(PAUSE, (result,))


@pytest.mark.parametrize(
    ("results", "code", "back"),
    [
        ((), GuardCode.INPUT_UNKNOWN, False),
        ((proven(RESTART, Outcome.RECOVERED),), GuardCode.INPUT_UNKNOWN, True),
        ((proven(RESTART, Outcome.RECOVERED),), GuardCode.NO_ALTERNATE, False),
        ((proven(RESTART, Outcome.NOT_RECOVERED),), GuardCode.INPUT_UNKNOWN, False),
        ((proven(RESTART, Outcome.RECOVERED), ended()), GuardCode.INPUT_UNKNOWN, False),
        ((ended(outcome=Outcome.UNKNOWN), proven(RESTART, Outcome.RECOVERED)), GuardCode.INPUT_UNKNOWN, True),
    ],
)
def test_what_lacked_its_input_is_planned_again_once_the_service_answers(
    results: tuple[ActionResult, ...], code: GuardCode, back: bool
) -> None:
    """A table that could not be read while the service hung can be read now."""
    waiting = REROUTE.model_copy(update={"verdict": Verdict.no(code, "")})

    assert input_is_back(results, (PAUSE, waiting)) is back


def case(*actions: PlannedAction, asked: bool = False) -> RemediationCase:
    """A remediation of these actions."""
    order = Request.model_construct(by="kim", reason="a test") if asked else None
    return RemediationCase.model_construct(
        request=TriageRequest(service="order-service"),
        diagnosis=Diagnosis.model_construct(status=Status.CRITICAL, findings=()),
        process=process(),
        plan=Plan.model_construct(written_at=NOW, actions=actions),
        asked=order,
        approval=None,
    )


def test_what_a_person_tightens_waits_for_nobody_and_for_no_evidence() -> None:
    """A halt at the end of a lock or of ten seconds of evidence comes too late."""
    mark = planned(Action.MARK_DEGRADED, target=Target(gateway="XNAS"))

    assert waits_for_nobody(case(PAUSE, mark, asked=True))
    assert not waits_for_nobody(case(PAUSE, RESTART, asked=True))
    assert not waits_for_nobody(case(PAUSE))
    assert not evidence_first(case(allowed(PAUSE), asked=True))
    assert evidence_first(case(allowed(PAUSE)))
    assert evidence_first(case(PAUSE_REFUSED, allowed(RESTART)))
    assert not evidence_first(case(PAUSE_REFUSED))


def allowed(one: PlannedAction) -> PlannedAction:
    """An action that every guard lets pass."""
    return one.model_copy(update={"verdict": Verdict.yes("")})


PAUSE_REFUSED = PAUSE.model_copy(update={"verdict": Verdict.no(GuardCode.MAINTENANCE, "")})


@pytest.mark.parametrize("code", sorted(GuardCode))
def test_an_action_is_worth_trying_where_time_alone_may_allow_it(code: GuardCode) -> None:
    """Orders prove themselves and people answer within the run; nothing else changes in it."""
    hopeful = code in {GuardCode.APPROVAL_NEEDED, GuardCode.ORDERS_NOT_PROVEN}

    assert worth_trying(PAUSE.model_copy(update={"verdict": Verdict.no(code, "")})) is hopeful
    assert worth_trying(allowed(PAUSE))


@pytest.mark.parametrize("action", sorted(Action))
def test_a_reroute_alone_ends_no_incident(action: Action) -> None:
    """New orders go around what still fails."""
    assert ends_incident(planned(action)) is (action is not Action.REROUTE_ORDERS)


@pytest.mark.parametrize(
    ("lease", "said"),
    [
        (Lease(service="s", taken=True), ""),
        (Lease(service="s", taken=True, alone="no server"), "this host's alone: no server"),
        (Lease(service="s", taken=False, holder="kim"), "held by kim; what a person tightens does not wait for it"),
    ],
)
def test_the_ledger_says_what_was_wrong_with_the_lock(lease: Lease, said: str) -> None:
    """Who reads it later sees that two may have acted."""
    assert lock_words(lease) == said


WORST_FIRST = (Outcome.UNKNOWN, Outcome.NOT_RECOVERED, Outcome.RECOVERED, Outcome.DONE)


@pytest.mark.parametrize("worse", WORST_FIRST)
@pytest.mark.parametrize("better", WORST_FIRST)
def test_the_whole_came_to_its_worst_end(worse: Outcome, better: Outcome) -> None:
    """One good end beside one that nobody knows is not good."""
    worse, better = sorted((worse, better), key=WORST_FIRST.index)
    refused = ended(outcome=Outcome.REFUSED)

    for results in (
        (refused, ended(PAUSE, worse), ended(outcome=better)),
        (ended(outcome=better), ended(PAUSE, worse)),
    ):
        told = sum_up(case(), results, None)
        assert (told.outcome, told.actions) == (worse, results)


def test_where_nothing_was_tried_the_first_reason_is_told() -> None:
    """A person reads why nothing was done."""
    first = ended(outcome=Outcome.REFUSED, code=GuardCode.NO_ALTERNATE)
    second = ended(PAUSE, Outcome.REFUSED, GuardCode.MAINTENANCE)
    snapshot = EvidenceSnapshot.model_construct()

    told = sum_up(case(), (first, second), snapshot)

    assert (told.outcome, told.code, told.snapshot) == (Outcome.REFUSED, GuardCode.NO_ALTERNATE, snapshot)
    assert sum_up(case(), (), None).detail == "no action was due"
    assert sum_up(case(), (proven(RESTART, Outcome.RECOVERED),), None).detail == "proof recovered"
    assert not_tried(PAUSE_REFUSED).code is GuardCode.MAINTENANCE
