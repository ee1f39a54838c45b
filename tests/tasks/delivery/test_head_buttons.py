"""What the head of a thread offers now, and that a press of it is bound to what was shown."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.incidents.ledger import append
from tasks.clients.messages.slack.presses import forget, is_first
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event
from tasks.model.messages.slack_press import Press, Pressed, WaitingPlan
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.slack.buttons import pause_blocks, plan_blocks, plan_words, read_press
from tasks.rules.people.answers import as_first
from tasks.rules.remediation.planning.approval_records import (
    answer_records,
    fingerprint_of,
    question_records,
    waiting_plan,
)
from tests.fakes.incident.observations import NOW
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, FakeSlack
from tests.fakes.slack.slack_rules import wrong_blocks
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import Telling, message, slack_settings
from tests.tasks.rules.remediation.planning.test_answers import RESTART, case

RUN = "0199c0de-0000-7000-8000-000000000001"
PEOPLE = {"kim": {"name": "Kim", "role": "approver", "slack": "U0KIM"}}
UNTIL = NOW + timedelta(minutes=5)
PLAN = WaitingPlan(flow_run_id=RUN, fingerprint="f" * 32, actions=("restart service",), until=UNTIL)


def telling_of(folder: Path, fake: FakeSlack, **more: Any) -> Telling:
    """An open incident of which a plan waits, told in a Slack that proves people."""
    one = Telling(folder, slack_settings(fake, app_token="xapp-1"), more={"people": PEOPLE, **more}).opened()
    append(one.ledger, question_records(case(), RUN, one.now + timedelta(minutes=5), one.now))
    one.queue(message(), message("desk-fx", Audience.DESK))
    one.round()
    return one


def kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def as_pressed(block: dict[str, Any], number: int, **changes: Any) -> dict[str, Any]:
    element = {**block["elements"][number], **changes}
    return {
        "type": "block_actions",
        "user": {"id": "U0KIM", "username": "kim"},
        "trigger_id": "1.2",
        "actions": [{**element, "block_id": block["block_id"]}],
    }


@pytest.mark.live
def test_the_head_offers_an_answer_only_while_a_plan_waits(tmp_path: Path) -> None:
    """From the asking to the answer, and never where only the desk reads."""
    with slack() as fake:
        one = telling_of(tmp_path, fake)
        (head,) = fake.heads(CHANNEL)
        assert kinds(head.blocks) == ["approve_plan", "reject_plan", "acknowledge", "pause_class"]
        assert "Waits for approval until" in head.text
        assert kinds(fake.heads(DESK_CHANNEL)[0].blocks) == []

        append(one.ledger, answer_records(case(), Approval(answer=ApprovalAnswer.APPROVED, by="Kim"), one.now))
        one.rounds(1)
        assert kinds(head.blocks) == ["pause_class"]
        assert "Waits for" not in head.text

        one.happens(Event.CLOSED)
        one.rounds(1)
        assert kinds(head.blocks) == []
    assert fake.wrong == []


@pytest.mark.live
def test_a_changed_plan_is_shown_again_and_its_buttons_are_bound_to_it(tmp_path: Path) -> None:
    """The head that a person sees next answers the plan that waits next."""
    with slack() as fake:
        one = telling_of(tmp_path, fake)
        (head,) = fake.heads(CHANNEL)
        before = bound_to(head.blocks)
        append(one.ledger, question_records(case(RESTART), "another run", one.now + timedelta(minutes=5), one.now))
        one.rounds(1)

    assert before == (RUN, fingerprint_of(case().plan))
    assert bound_to(head.blocks) == ("another run", fingerprint_of(case(RESTART).plan))
    assert "Waits for approval until" in head.text
    assert "pause strategies" not in head.text


def bound_to(blocks: list[dict[str, Any]]) -> tuple[str, str]:
    value = json.loads(next(one for one in blocks if one.get("block_id") == "answer")["elements"][0]["value"])
    return value["flow_run"], value["plan"]


@pytest.mark.live
def test_a_plan_whose_time_is_over_is_offered_no_more(tmp_path: Path) -> None:
    """Also where its run was killed, and says nothing."""
    with slack() as fake:
        one = telling_of(tmp_path, fake)
        one.now += timedelta(minutes=6)
        one.round()

        assert kinds(fake.heads(CHANNEL)[0].blocks) == ["acknowledge", "pause_class"]


@pytest.mark.live
def test_without_people_in_slack_the_head_is_as_it_was(tmp_path: Path) -> None:
    """Where nobody is proven, only pages are taken."""
    with slack() as fake:
        telling_of(tmp_path, fake, people={"kim": {"role": "approver", "logins": ["kim"]}})

        assert kinds(fake.heads(CHANNEL)[0].blocks) == ["acknowledge"]


def test_a_press_of_a_button_is_bound_to_the_plan_that_was_shown() -> None:
    """What Slack sends back names the run and the plan, word for word."""
    blocks = plan_blocks("order-service", "INC-1", PLAN)
    pressed = [read_press(as_pressed(blocks[1], number)) for number in (0, 1)]

    assert [one.pressed for one in pressed if one] == [Pressed.APPROVE, Pressed.REJECT]
    for one in pressed:
        assert one
        assert (one.flow_run_id, one.fingerprint, one.user_id, one.press_id) == (RUN, "f" * 32, "U0KIM", "1.2")
        assert (one.service, one.incident_id, one.by) == ("order-service", "INC-1", "kim")


def test_each_press_is_confirmed_in_words_of_what_it_does() -> None:
    """A thumb on a phone in the dark hits the wrong button."""
    shown, answers = plan_blocks("order-service", "INC-1", PLAN)
    (select,) = pause_blocks("order-service", "INC-1", ["equity"])

    assert shown["text"]["text"] == f"Waits for approval until {desk_clock(UNTIL)}: restart service."
    approve, reject = (one["confirm"]["text"]["text"] for one in answers["elements"])
    assert approve == "restart service. Every guard is checked again first."
    assert reject == "Nothing of it is done: restart service."
    assert select["elements"][0]["confirm"]["text"]["text"] == (
        "New orders are halted at once. Cancels still go through. A person resumes it."
    )


@pytest.mark.parametrize(("chosen", "asset_class"), [("equity", "equity"), ("*", None)])
def test_a_choice_names_its_class_or_everything(chosen: str, asset_class: str | None) -> None:
    """Everything is a choice of its own, and never what is left out."""
    (select,) = pause_blocks("order-service", "INC-1", ["equity", "fx"])
    press = read_press(as_pressed(select, 0, selected_option={"value": chosen}))

    assert press
    assert (press.pressed, press.asset_class, press.service) == (Pressed.PAUSE, asset_class, "order-service")
    assert [one["value"] for one in select["elements"][0]["options"]] == ["equity", "fx", "*"]


@pytest.mark.parametrize("option", [None, {}, {"value": ""}, {"value": 7}, "equity"])
def test_a_select_without_a_choice_pauses_nothing(option: object) -> None:
    """No choice must not read as all."""
    (select,) = pause_blocks("order-service", "INC-1", ["equity"])

    assert read_press(as_pressed(select, 0, selected_option=option)) is None


@given(st.lists(st.text(max_size=400), max_size=8), st.lists(st.text(min_size=1, max_size=60), max_size=120))
def test_slack_takes_the_blocks_of_any_plan_and_any_classes(actions: list[str], classes: list[str]) -> None:
    """A head that Slack refuses shows nothing at all."""
    plan = PLAN.model_copy(update={"actions": tuple(actions), "first": "Ada <!channel>"})
    blocks = [*plan_blocks("order-service", "INC-1", plan), *pause_blocks("order-service", "INC-1", classes)]

    assert wrong_blocks(json.loads(json.dumps(blocks))) is None


def test_names_that_do_not_fit_offer_nothing_rather_than_a_cut_one() -> None:
    """A button that is bound to half a name is bound to another thing."""
    assert plan_blocks("s" * 3000, "INC-1", PLAN) == ()
    assert pause_blocks("s" * 300, "INC-1", ["equity"]) == ()


def test_the_ledger_says_which_plan_waits() -> None:
    """The last that was asked, until it is answered or its time is over."""
    asked = question_records(case(), RUN, UNTIL, NOW)
    waiting = waiting_plan(asked, "INC-1", NOW)
    yes = answer_records(case(), Approval(answer=ApprovalAnswer.APPROVED, by="Ada"), NOW)

    assert waiting == WaitingPlan(
        flow_run_id=RUN,
        fingerprint=fingerprint_of(case().plan),
        actions=tuple(one.words for one in case().plan.actions),
        until=UNTIL,
    )
    assert waiting_plan(asked, "INC-2", NOW) is None
    assert waiting_plan(asked, "INC-1", UNTIL) is None
    assert waiting_plan((*asked, *yes), "INC-1", NOW) is None
    assert waiting_plan((*asked, *yes, *asked), "INC-1", NOW) == waiting
    held = waiting_plan((*asked, *as_first(yes, RUN, "ada")), "INC-1", NOW)
    assert held
    assert held.first == "Ada"
    assert plan_words(held).startswith("Waits for a second person (approved by Ada) until ")


@pytest.mark.parametrize("details", [{"until": "soon"}, {"actions": "all"}, {"until": None}])
def test_a_question_that_cannot_be_read_offers_nothing(details: dict[str, object]) -> None:
    """Ledgers are written by more than one version."""
    (asked, *_) = question_records(case(), RUN, UNTIL, NOW)
    broken = asked.model_copy(update={"details": {**asked.details, **details}})

    assert waiting_plan((broken,), "INC-1", NOW) is None


def press(press_id: str = "1", **changes: Any) -> Press:
    return Press(incident_id="INC-1", by="kim", user_id="U0KIM", press_id=press_id, **changes)


def test_what_slack_sends_again_and_what_is_pressed_twice_is_done_once(tmp_path: Path) -> None:
    """By the id of the press for an hour, by what it means for half a minute, also after a restart of the process."""
    soon, later = NOW + timedelta(seconds=10), NOW + timedelta(minutes=2)

    assert is_first(tmp_path, press(), NOW)
    assert not is_first(tmp_path, press(), later)
    assert not is_first(tmp_path, press("2"), soon)
    assert is_first(tmp_path, press("3"), later)
    assert is_first(tmp_path, press("4", fingerprint="other"), soon)
    assert is_first(tmp_path, press("5").model_copy(update={"user_id": "U0LEE"}), soon)


def test_a_press_that_was_refused_may_be_pressed_again_at_once(tmp_path: Path) -> None:
    """Slack's own repetition of it is still no new press."""
    assert is_first(tmp_path, press(), NOW)
    forget(tmp_path, press(), NOW)

    assert not is_first(tmp_path, press(), NOW)
    assert is_first(tmp_path, press("2"), NOW)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[1]", b'{"1": 7, "2": "soon"}'])
def test_a_file_of_presses_that_is_broken_loses_no_press(tmp_path: Path, content: bytes) -> None:
    """A press that is not done because of a bad file is worse than one that is done twice."""
    (tmp_path / "slack-presses.json").write_bytes(content)

    assert is_first(tmp_path, press(), NOW)
    assert not is_first(tmp_path, press(), NOW)
