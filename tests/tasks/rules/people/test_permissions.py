"""Who may do what: the person is proven by the door, and a role has the rights of those before it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.incidents.modes import Mode
from tasks.model.people.person import Door, Identity, Person, Right, Role, people_fault
from tasks.model.remediation.plan import ApprovalAnswer
from tasks.rules.people.permissions import (
    NEEDS,
    is_free,
    permit,
    right_of_action,
    right_of_answer,
    right_of_mode,
    rights_of_order,
)
from tasks.rules.remediation.planning.proposal import a_name

PEOPLE = {
    "ada": Person(name="Ada Lovelace", role=Role.ADMIN, slack="U0ADA", logins=("ada", "alovelace")),
    "bob": Person(name="Bob", role=Role.RESPONDER, slack="U0BOB", logins=("bob",)),
    "cy": Person(role=Role.APPROVER, logins=("cy",), api_users=("desk",)),
    "val": Person(logins=("val",)),
}


def login(name: str) -> Identity:
    return Identity(door=Door.LOGIN, name=name)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("door", Door)
def test_without_people_nobody_is_restricted(right: Right, door: Door) -> None:
    """A team that lists nobody works as before, by the name that is typed."""
    found = permit({}, Identity(door=door, name="eve"), right, "kim")

    assert (found.allowed, found.by, found.key, found.detail) == (True, "kim", "", "")


@pytest.mark.parametrize("right", Right)
def test_who_is_not_listed_may_do_nothing(right: Right) -> None:
    """A login that nobody wrote down is a viewer."""
    found = permit(PEOPLE, login("eve"), right, "Ada Lovelace")

    assert not found.allowed
    assert found.key == ""
    assert found.by == "Ada Lovelace (not proven; login eve)"


@pytest.mark.parametrize(
    ("role", "most"),
    [
        (Role.VIEWER, set()),
        (
            Role.RESPONDER,
            {
                Right.ACKNOWLEDGE,
                Right.PAUSE,
                Right.MARK_DEGRADED,
                Right.DISABLE_FEATURE,
                Right.REJECT,
                Right.OBSERVE,
                Right.FOLLOW_UP,
            },
        ),
        (Role.APPROVER, set(Right) - {Right.OVERRIDE, Right.LOOSEN_MODE}),
        (Role.ADMIN, set(Right)),
    ],
)
def test_each_role_has_its_rights_and_no_others(role: Role, most: set[Right]) -> None:
    """What a role may do is what the page says, for every right that there is."""
    people = {"one": Person(role=role, logins=("one",))}

    assert {right for right in Right if permit(people, login("one"), right).allowed} == most
    assert set(NEEDS) == set(Right)


def test_a_refusal_names_the_role_who_was_found_and_whom_to_ask() -> None:
    """At three in the morning the next step is a name."""
    found = permit(PEOPLE, login("bob"), Right.APPROVE)

    assert found.detail == (
        "expected the role approver to approve a plan, found login bob (Bob, responder); "
        "ask Ada Lovelace, cy, or correct [people]"
    )


def test_an_unlisted_slack_user_and_a_form_without_a_login_are_refused_in_words() -> None:
    """Each door says what it could prove."""
    slack = permit(PEOPLE, Identity(door=Door.SLACK, name="U0EVE"), Right.LOOSEN_MODE)
    form = permit(PEOPLE, Identity(door=Door.API, name=""), Right.REARM)

    assert "found Slack user U0EVE (not listed in [people], so a viewer); ask Ada Lovelace" in slack.detail
    assert "found a form of a Prefect server without a login, which proves nobody; ask" in form.detail


def test_many_who_may_are_not_all_named() -> None:
    """One line stays one line."""
    people = {f"p{n}": Person(role=Role.ADMIN, logins=(f"p{n}",)) for n in range(8)}

    assert permit(people, login("eve"), Right.APPROVE).detail.endswith(
        "; ask p0, p1, p2, p3, p4 or 3 more, or correct [people]"
    )
    five = dict(list(people.items())[:5])
    assert permit(five, login("eve"), Right.APPROVE).detail.endswith("; ask p0, p1, p2, p3, p4, or correct [people]")
    assert permit({"v": Person()}, login("eve"), Right.APPROVE).detail.endswith(
        "; nobody has that role, or correct [people]"
    )


@pytest.mark.parametrize(
    ("typed", "by"),
    [
        ("", "Ada Lovelace"),
        ("ada", "Ada Lovelace"),
        ("ADA  lovelace", "Ada Lovelace"),
        ("alovelace", "Ada Lovelace"),
        ("Bob", "Ada Lovelace (typed: Bob)"),
    ],
)
def test_the_proven_name_is_recorded_and_a_typed_one_stays_a_claim(typed: str, by: str) -> None:
    """Whoever types somebody else's name is still seen."""
    assert permit(PEOPLE, login("alovelace"), Right.APPROVE, typed).by == by


@given(st.text(max_size=200), st.text(max_size=80), st.sampled_from(["ada", "eve", "é\u200b"]))
def test_what_is_recorded_is_a_name_that_a_form_takes_as_it_is(typed: str, name: str, who: str) -> None:
    """A proof is found again by the name: a form must not change a letter of it."""
    try:
        people = {"ada": Person(name=name, role=Role.ADMIN, logins=("ada",))}
    except ValueError:
        return
    by = permit(people, login(who), Right.APPROVE, typed).by

    assert a_name(by) == by
    assert len(by) <= 100


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("door", Door)
def test_only_what_tightens_is_free_and_not_in_slack(action: Action, door: Door) -> None:
    """Safety rule 8 holds for a viewer at a shell; a phone that lies around is no shell."""
    assert is_free(action, door, overrides=False) is (action in TIGHTENERS and door is not Door.SLACK)
    assert not is_free(action, door, overrides=True)


def test_what_an_order_needs() -> None:
    """An override is the right of another role than the action."""
    assert right_of_action(Action.PAUSE_STRATEGIES) is Right.PAUSE
    assert rights_of_order(Action.RESUME, overrides=True) == (Right.ORDER, Right.OVERRIDE)
    assert rights_of_order(Action.MARK_DEGRADED, overrides=False) == (Right.MARK_DEGRADED,)
    assert {right_of_action(one) for one in Action if one not in TIGHTENERS} == {Right.ORDER}


@pytest.mark.parametrize("now", Mode)
@pytest.mark.parametrize("wanted", Mode)
def test_only_a_less_careful_mode_needs_an_admin(now: Mode, wanted: Mode) -> None:
    """To take the automation's hands off is never more than a responder's."""
    loosens = list(Mode).index(wanted) > list(Mode).index(now)

    assert right_of_mode(now, wanted) is (Right.LOOSEN_MODE if loosens else Right.OBSERVE)


def test_a_no_needs_less_than_a_yes() -> None:
    """A no does nothing."""
    assert right_of_answer(ApprovalAnswer.APPROVED) is Right.APPROVE
    assert right_of_answer(ApprovalAnswer.REJECTED) is Right.REJECT


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"logins": ("ada",)}, "login ada"),
        ({"slack": "U0ADA"}, "Slack user U0ADA"),
        ({"name": "ADA lovelace"}, "ada lovelace"),
    ],
)
def test_two_people_of_one_identity_or_name_are_a_fault(other: dict[str, Any], named: str) -> None:
    """Who did it must never be a guess."""
    assert named in (people_fault({**PEOPLE, "eve": Person(**other)}, ()) or "")


def test_one_login_twice_at_one_person_is_a_fault_and_the_same_name_at_two_doors_is_none() -> None:
    """A login and a user of the server are two things."""
    assert people_fault({"a": Person(logins=("a", "a"))}, ()) is not None
    assert people_fault({"a": Person(logins=("x",)), "b": Person(api_users=("x",))}, ()) is None


def test_four_eyes_need_two_who_may_approve() -> None:
    """Else the plan would wait for nobody."""
    assert people_fault(PEOPLE, (Action.RESUME,)) is None
    assert "four_eyes expected at least two approvers" in (people_fault({}, (Action.RESUME,)) or "")
    assert "was 1" in (people_fault({"ada": PEOPLE["ada"], "bob": PEOPLE["bob"]}, (Action.RESUME,)) or "")
