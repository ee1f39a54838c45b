"""Whose answer to a plan holds: a person whom a door has proven, and where two must, that of the second."""

from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Action, LedgerRecord
from tasks.model.people.person import Door, Identity, Person, ProvenAnswer, Role
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Due, Plan
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.incidents.action_history import APPROVAL_TYPE
from tasks.rules.remediation.planning.approval_records import fingerprint_of, is_answer, plan_fingerprint
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.people.answers import answer_proven, give_answer
from tests.tasks.rules.remediation.planning.test_answers import PAUSE, RESTART, case

SERVICE, RUN = "order-service", "0199c0de-0000-7000-8000-000000000001"
PEOPLE = {
    "ada": Person(name="Ada", role=Role.APPROVER, slack="U0ADA", logins=("ada", "ada2")),
    "bob": Person(name="Bob", role=Role.RESPONDER, slack="U0BOB", logins=("bob",)),
    "cy": Person(name="Cy", role=Role.APPROVER, logins=("cy",), api_users=("desk",)),
}
NOBODY = Identity(door=Door.API, name="")
DESK = Identity(door=Door.API, name="desk")
YES, NO = ApprovalAnswer.APPROVED, ApprovalAnswer.REJECTED


def settings(folder: Path, *four_eyes: Action) -> RunbookSettings:
    return RunbookSettings(state_dir=folder, services={SERVICE: ServiceSettings()}, people=PEOPLE, four_eyes=four_eyes)


def login(name: str) -> Identity:
    return Identity(door=Door.LOGIN, name=name)


def said(answer: ApprovalAnswer = YES, by: str = "") -> Approval:
    return Approval(answer=answer, by=by)


def proven(
    known: RunbookSettings, approval: Approval, form: Identity = NOBODY, plan: RemediationCase | None = None
) -> ProvenAnswer:
    return answer_proven(known, plan or case(), RUN, approval, form)


def of_type(known: RunbookSettings, kind: str) -> list[LedgerRecord]:
    return [one for one in read_ledger(known.ledger(SERVICE)).records if one.type == kind]


def test_an_answer_that_a_shell_has_proven_holds_for_the_run(tmp_path: Path) -> None:
    """The run sees a form with a name; the ledger says whose it is."""
    known = settings(tmp_path)
    given = give_answer(known, SERVICE, RUN, login("ada"), said())

    assert given.by == "Ada"
    assert proven(known, given).approval == given
    (record,) = of_type(known, "answer_given")
    assert record.summary == "approved by Ada, as login ada"


@pytest.mark.parametrize(
    "typed", [said(by="Ada"), said(NO, by="Ada"), said(by="Bob")], ids=["same words", "another answer", "another name"]
)
def test_a_name_in_a_form_proves_nothing(tmp_path: Path, typed: Approval) -> None:
    """Anybody can type a name; a proof is of one answer to one run."""
    known = settings(tmp_path)
    if typed != said(by="Ada"):
        give_answer(known, SERVICE, RUN, login("ada"), said())
    give_answer(known, SERVICE, "another run", login("ada"), said())

    found = proven(known, typed)

    assert found.approval is None
    assert found.fault.startswith("The last answer does not hold. NOT_PERMITTED: expected the role ")
    assert len(of_type(known, "not_permitted")) == 1


def test_the_user_of_the_servers_login_is_who_answers_and_a_typed_name_stays_a_claim(tmp_path: Path) -> None:
    """All who know the login share it, and the ledger says so."""
    found = proven(settings(tmp_path), said(by="Ada"), DESK)

    assert found.approval
    assert found.approval.by == "Cy (typed: Ada)"


def test_a_responder_may_say_no_and_not_yes(tmp_path: Path) -> None:
    """A no does nothing."""
    known = settings(tmp_path)

    assert give_answer(known, SERVICE, RUN, login("bob"), said(NO)).by == "Bob"
    with pytest.raises(RunbookError) as error:
        give_answer(known, SERVICE, RUN, login("bob"), said())
    assert error.value.code is Code.NOT_PERMITTED


def test_two_people_must_approve_what_four_eyes_name(tmp_path: Path) -> None:
    """The first waits, the same person again waits on, the second completes it."""
    known = settings(tmp_path, Action.RESTART_SERVICE)
    first = proven(known, give_answer(known, SERVICE, RUN, login("ada"), said()))
    same = proven(known, give_answer(known, SERVICE, RUN, Identity(door=Door.SLACK, name="U0ADA"), said()))
    second = proven(known, give_answer(known, SERVICE, RUN, login("cy"), said()))

    assert first == same == ProvenAnswer(fault="Approved by Ada. A second person must approve it, too.")
    assert second.approval == Approval(answer=YES, by="Cy", first="Ada")
    assert second.approval.words == "approved by Ada and Cy"


def test_the_first_of_two_has_its_receipt(tmp_path: Path) -> None:
    """Who approves at a shell reads that a second person is missing, and not that nobody took it."""
    known = settings(tmp_path, Action.RESTART_SERVICE)
    given = give_answer(known, SERVICE, RUN, login("ada"), said())
    proven(known, given)

    (record,) = of_type(known, APPROVAL_TYPE)
    assert is_answer(record, [record.incident_id or ""], given)
    assert record.details["waits"] is True
    assert record.summary == "approved by Ada; waits for a second person"


def test_one_person_may_reject_what_two_must_approve(tmp_path: Path) -> None:
    """What stops needs nobody else."""
    known = settings(tmp_path, Action.RESTART_SERVICE)
    proven(known, give_answer(known, SERVICE, RUN, login("ada"), said()))

    assert proven(known, give_answer(known, SERVICE, RUN, login("bob"), said(NO))).approval is not None


def test_a_plan_of_other_actions_needs_one(tmp_path: Path) -> None:
    """Four eyes are for what is named."""
    known = settings(tmp_path, Action.RESUME)

    assert proven(known, give_answer(known, SERVICE, RUN, login("ada"), said())).approval is not None


def test_the_approval_of_another_run_is_not_the_first_of_this_one(tmp_path: Path) -> None:
    """Each plan has its own two."""
    known = settings(tmp_path, Action.RESTART_SERVICE)
    answer_proven(known, case(), "another run", said(by="x"), DESK)

    assert proven(known, give_answer(known, SERVICE, RUN, login("ada"), said())).approval is None


def test_a_plan_is_named_by_what_it_does_and_not_by_when_it_was_written() -> None:
    """What a person was shown is what they answer."""
    plan = case().plan
    again = plan.model_copy(update={"written_at": plan.written_at.replace(year=2030)})
    other = Plan(written_at=plan.written_at, actions=(RESTART,))
    later = Plan(written_at=plan.written_at, actions=(RESTART, PAUSE.model_copy(update={"due": Due.IF_EXPIRED})))
    as_sent = [
        {**one.model_dump(mode="json"), "target": {"asset_class": "equity", "gateway": None}} for one in (PAUSE,)
    ]

    assert fingerprint_of(plan) == fingerprint_of(again)
    assert len({fingerprint_of(one) for one in (plan, other, later)}) == 3
    assert plan_fingerprint(as_sent) == fingerprint_of(Plan(written_at=plan.written_at, actions=(PAUSE,)))
