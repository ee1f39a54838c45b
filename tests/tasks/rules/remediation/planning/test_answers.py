"""What a person's answer to a plan means afterwards: in the ledger, in the next runs, in the messages."""

import re
from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Outcome, Source
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Due, Plan, Target
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, RemediationCase, RemediationResult
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.action_history import REARMED_TYPE, ActionHistory, action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.outcome import remediation_messages
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.approval_records import answer_records, is_answer, late_answer_records
from tasks.rules.remediation.planning.proposal import a_name, proposal
from tests.fakes.incident.cases import INCIDENT, finding, inputs, planned
from tests.fakes.incident.observations import NOW

RESTART = planned()
PAUSE = planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.EQUITY))
NO = Approval(answer=ApprovalAnswer.REJECTED, by="ada", note="the venue restarts it")
YES = Approval(answer=ApprovalAnswer.APPROVED, by="bob")
HALTED = TradingState.HALTED
NOBODY = Approval(answer=ApprovalAnswer.EXPIRED)


def case(*actions: object) -> RemediationCase:
    """A case whose plan has these actions."""
    context = inputs().evidence.context
    plan = Plan.model_validate({"written_at": NOW, "actions": actions or (RESTART, PAUSE)})
    process = ProcessCheck(state=ProcessState.RUNNING, detail="", looked_at=NOW)
    return RemediationCase(request=context.request, diagnosis=Diagnosis(status=Status.OK), process=process, plan=plan)


def history(*answers: Approval, rearmed: bool = False) -> ActionHistory:
    """What the runs after these answers know, one minute apart."""
    written = [record for at, one in enumerate(answers) for record in answer_records(case(), one, later(at))]
    if rearmed:
        fields = {"type": REARMED_TYPE, "event": Event.ACKNOWLEDGED, "source": Source.OPERATOR}
        written.append(LedgerRecord(timestamp=later(9), service="order-service", **fields))  # type: ignore[arg-type]
    return action_history(written, "order-service", later(10))


def later(minutes: int) -> object:
    """Some minutes after now."""
    return NOW + timedelta(minutes=minutes)


def test_a_no_holds_for_the_incident_until_a_person_says_otherwise() -> None:
    """Rule 12: nobody is asked for the same again every minute; a later yes, or a re-arm, ends it."""
    asking = inputs(mode=Mode.PROPOSE)

    refused = evaluate(RESTART, asking.model_copy(update={"history": history(NO)}))

    assert refused.code is GuardCode.REJECTED_BY_PERSON
    assert "rejected by ada: the venue restarts it" in refused.detail
    for known in (history(), history(NO, YES), history(NO, rearmed=True), history(NOBODY)):
        assert evaluate(RESTART, asking.model_copy(update={"history": known})).code is GuardCode.APPROVAL_NEEDED


def test_nobody_but_a_person_can_say_no() -> None:
    """A line that some program wrote neither stops nor frees the automation."""
    (record,) = answer_records(case(), NO, NOW)
    forged = record.model_copy(update={"source": Source.TRIAGE})
    garbled = record.model_copy(update={"details": {"answer": "rejected", "actions": [1, None, {"a": 1}]}})

    assert action_history([forged, garbled], "order-service", NOW).rejected == {}


def test_who_answers_has_the_incident_and_nobodys_answer_takes_it() -> None:
    """A person who said yes or no is at it; silence stops no page."""
    opened = LedgerRecord(
        timestamp=NOW, type="x", service="order-service", incident_id=INCIDENT, event=Event.OPENED, source=Source.TRIAGE
    )

    answered = fold_incidents([opened, *answer_records(case(), YES, NOW)], "order-service")
    silent = fold_incidents([opened, *answer_records(case(), NOBODY, NOW)], "order-service")

    assert answered[0].acknowledged_by == "bob"
    assert silent[0].acknowledged_by is None


def test_each_incident_of_a_plan_is_told_of_its_own_actions() -> None:
    """A plan may touch two incidents; each ledger story is whole."""
    other = PAUSE.model_copy(update={"incident_id": "INC-2", "key": "INC-2/pause"})

    found = {one.incident_id: one.details["actions"] for one in answer_records(case(RESTART, other), NO, NOW)}

    assert found == {INCIDENT: [RESTART.key], "INC-2": ["INC-2/pause"]}


def test_no_answer_pauses_and_nothing_else() -> None:
    """Rule 12: the safe branch needs nobody; what is disruptive waits for a person."""
    silent = inputs(mode=Mode.PROPOSE, approval=NOBODY)

    assert evaluate(PAUSE, silent).allowed
    assert evaluate(RESTART, silent).code is GuardCode.APPROVAL_EXPIRED


def messages(approval: Approval, *done: ActionResult, tier: Audience = Audience.TIER_1) -> dict[str, str]:
    """What is reported of an answered plan, by audience."""
    incident = IncidentState(
        incident_id=INCIDENT, service="order-service", state="opened", opened_at=NOW, causes=(Cause.SERVICE_HUNG,)
    )
    story = TriageStory(
        evidence=inputs().evidence,
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(finding(tier=tier),)),
        incidents=IncidentUpdate(opened=(incident,)),
        remediation=RemediationResult(outcome=Outcome.DONE, detail="x", actions=done, approval=approval),
    )
    return {one.audience: one.text for one in remediation_messages(story)}


def result(outcome: Outcome, code: GuardCode | None = None, tier: Audience = Audience.TIER_1) -> ActionResult:
    """What became of one action."""
    one = planned(found=finding(tier=tier))
    return ActionResult(planned=one, outcome=outcome, code=code, detail="so")


@pytest.mark.parametrize(("asked", "told"), [(Audience.TIER_1, Audience.TIER_2), (Audience.TIER_2, Audience.TIER_3)])
def test_nobodys_answer_goes_to_the_next_tier_also_where_trading_was_paused(asked: Audience, told: Audience) -> None:
    """Whoever was asked did not answer: somebody else must hear of what was not done."""
    expired = result(Outcome.REFUSED, GuardCode.APPROVAL_EXPIRED, asked)
    paused = ActionResult(planned=PAUSE, outcome=Outcome.DONE, detail="halted")

    found = messages(NOBODY, expired, paused, tier=asked)

    assert re.search(r"Not done: restart service.*: so \(APPROVAL_EXPIRED\)\.", found[told])
    assert "Plan: nobody answered in time." in found[told]
    assert asked not in found


def test_the_message_names_who_approved() -> None:
    """The desk's auditors ask who let it happen."""
    found = messages(YES, result(Outcome.DONE))

    assert "Plan: approved by bob." in found[Audience.TIER_1]


def test_the_form_shows_what_no_answer_means_and_what_was_wrong_with_the_last_one() -> None:
    """A person decides on what stands on the form alone."""
    quiet = tuple(
        one.model_copy(update={"due": Due.IF_EXPIRED, "verdict": Verdict.yes()})
        for name in (AssetClass.EQUITY, AssetClass.FX)
        for one in (planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=name, trading_state=HALTED)),)
    )
    text = proposal(case(RESTART, *quiet), NOW, "The last answer could not be read, a name is expected.")

    assert (
        "\n1. restart service: NOT_CONFIRMED, not evaluated yet\n\n"
        "If nobody answers by 15:00:00Z, only this is done: halt equity and fx, "
        "and the next tier is notified."
    ) in text.replace("\\", "")
    assert "by 15:00:00Z, nothing of the plan is done, and the next tier is notified." in proposal(case(RESTART), NOW)
    assert "The last answer could not be read, a name is expected." in text
    assert f"Incident {INCIDENT}" in text


def test_the_form_numbers_each_action_and_says_when_it_is_due_what_forbids_it_and_why_it_is_wanted() -> None:
    """That a person must approve it is what the form is for; a guard that forbids it all the same is reported."""
    pause = PAUSE.model_copy(
        update={"due": Due.IF_EXPIRED, "verdict": Verdict.no(GuardCode.NOT_AVAILABLE, "no token for it")}
    )
    asked = RESTART.model_copy(update={"verdict": Verdict.no(GuardCode.APPROVAL_NEEDED, "a person must approve")})
    found = Diagnosis(status=Status.CRITICAL, findings=(finding(because=("silent for 9 s",)),))
    text = proposal(case(asked, pause).model_copy(update={"diagnosis": found}), NOW).replace("\\", "")

    assert "\n1. restart service\n2. pause strategies equity, only if nobody answers: NOT_AVAILABLE" in text
    assert "- service_hung:\n- silent for 9 s\n" in text


def test_an_answer_that_came_too_late_is_kept_with_what_it_did_not_do() -> None:
    """Who reads the ledger must not believe that the restart followed from it."""
    (late,) = late_answer_records("order-service", {INCIDENT: [RESTART.key]}, YES, NOW)

    assert late.summary == "approved by bob; the run that asked had ended, and nothing followed from it"
    assert (late.incident_id, late.details["actions"], late.source) == (INCIDENT, [RESTART.key], Source.OPERATOR)


@pytest.mark.parametrize(
    ("change", "theirs"),
    [
        ({}, True),
        ({"type": "x"}, False),
        ({"details": {"answer": "approved", "by": "bob"}}, True),
        ({"details": {"answer": "rejected", "by": "bob"}}, False),
        ({"details": {"answer": "approved", "by": "ada"}}, False),
        ({"incident_id": "INC-2"}, False),
    ],
)
def test_an_answer_is_found_by_who_said_what_to_which_plan(change: dict[str, object], theirs: bool) -> None:
    """The command waits for its own answer to be written, and not for somebody else's."""
    (written,) = answer_records(case(), YES, NOW)

    assert is_answer(written.model_copy(update=change), [INCIDENT], YES) is theirs


def test_a_name_has_letters() -> None:
    """The ledger must not name ?? as the one who approved."""
    assert a_name("  Ada  Lovelace ") == "Ada Lovelace"
    with pytest.raises(ValueError, match="a name is expected"):
        a_name(" ?! ")
