"""A press in Slack reaches the run that waits as who pressed it, once, or is refused in words."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.slack_buttons import pressed
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.slack.socket_mode import listen_for_presses
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.model.messages.slack_press import Press, Pressed
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.incidents.action_history import APPROVAL_TYPE
from tasks.rules.remediation.planning.approval_records import late_answer_records, plan_fingerprint
from tasks.settings import RunbookSettings
from tests.deployments.commands.test_pause_command import trades
from tests.deployments.prefect_api.test_approve import RUN, paused_run, prefect_with
from tests.fakes.polling import eventually
from tests.fakes.service.scripted import Asked, replied, scripted
from tests.fakes.slack.slack_api import FakeSlack
from tests.fakes.slack.slack_server import slack
from tests.fakes.slack.slack_socket_server import FakeSocket, socket_mode
from tests.tasks.delivery.telling import Telling, message, slack_settings

pytestmark = pytest.mark.live
PEOPLE = {
    "kim": {"name": "Kim", "role": "approver", "slack": "U0KIM"},
    "lee": {"name": "Lee", "role": "approver", "slack": "U0LEE"},
    "bob": {"name": "Bob", "role": "responder", "slack": "U0BOB"},
    "val": {"name": "Val", "slack": "U0VAL"},
}
PLAN = plan_fingerprint(paused_run()["parameters"]["case"]["plan"]["actions"])
PREFECT_AWAY = "http://127.0.0.1:1"


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


@pytest.fixture
def telling(tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> Telling:
    """An open incident, and people whom Slack proves."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", f"{PREFECT_AWAY}/api")
    return Telling(tmp_path, slack_settings(fake, app_token="xapp-1"), more={"people": PEOPLE}).opened()


def press(user: str = "U0KIM", what: Pressed = Pressed.APPROVE, **changes: Any) -> Press:
    named = {"incident_id": "INC-1", "service": "order-service", "by": user, "user_id": user}
    bound = {"press_id": f"{user}{what}", "flow_run_id": RUN, "fingerprint": PLAN}
    return Press.model_validate({**named, **bound, "pressed": what, **changes})


def words_of(telling: Telling, one: Press) -> str:
    return pressed(lambda: telling.settings, one, datetime.now(UTC))


async def said(telling: Telling, one: Press) -> str:
    return await asyncio.to_thread(words_of, telling, one)


def of_type(telling: Telling, kind: str) -> list[LedgerRecord]:
    return [one for one in read_ledger(telling.ledger).records if one.type == kind]


@asynccontextmanager
async def waiting(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, *runs: dict[str, Any]
) -> AsyncIterator[list[Asked]]:
    """A server on which plans wait, whose runs write each answer down."""
    async with prefect_with(*runs, taken_in=telling.state_dir) as (api, kept):
        monkeypatch.setenv("PREFECT_API_URL", f"{api}/api")
        yield kept


def resumed(kept: list[Asked]) -> list[dict[str, Any]]:
    return [one.fields["run_input"] for one in kept if one.path.endswith("/resume")]


@pytest.mark.parametrize(
    ("user", "what", "words"),
    [
        ("U0KIM", Pressed.APPROVE, "Approved by Kim: pause strategies equity (INC-1)."),
        ("U0BOB", Pressed.REJECT, "Rejected by Bob: pause strategies equity (INC-1)."),
    ],
)
async def test_an_answer_reaches_the_run_as_the_person_whom_slack_proves(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, user: str, what: Pressed, words: str
) -> None:
    """The same way as `runbook approve`; the ledger knows first whose it is."""
    async with waiting(telling, monkeypatch, paused_run()) as kept:
        answer = await said(telling, press(user, what, by="ada"))

    assert answer == words
    assert resumed(kept) == [
        {"decision": what.removesuffix("_plan"), "answered_by": words.split()[2].rstrip(":"), "note": ""}
    ]
    (given,) = of_type(telling, "answer_given")
    assert given.details["door"] == f"Slack user {user}"


async def test_a_stale_button_is_refused_with_words_and_answers_nothing(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's plan must not be approved by yesterday's thumb."""
    async with waiting(telling, monkeypatch, paused_run()) as kept:
        for stale in ({"fingerprint": "0" * 32}, {"flow_run_id": "another run"}):
            answer = await said(telling, press(press_id=str(stale), **stale))
            assert answer == (
                "Not approved. PLAN_CHANGED: expected an answer to the plan that waits now, found one to an earlier "
                "plan; the head of the thread shows the one that waits"
            )

    assert resumed(kept) == []
    assert of_type(telling, "answer_given") == []


async def test_a_plan_that_was_answered_says_by_whom(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second person reads what became of it."""
    yes = Approval(answer=ApprovalAnswer.APPROVED, by="Lee")
    append(telling.ledger, late_answer_records("order-service", {"INC-1": ["k"]}, yes, telling.now))
    async with waiting(telling, monkeypatch, paused_run("INC-2")):
        answer = await said(telling, press())

    assert answer.startswith("Not approved. NOTHING_WAITS: expected a plan that waits, found none; approved by Lee; ")


@pytest.mark.parametrize(("user", "role"), [("U0BOB", "Bob, responder"), ("U0EVE", "not listed in [people]")])
async def test_a_person_without_the_role_is_refused_recorded_and_reported_once(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, user: str, role: str
) -> None:
    """A phone that lies around approves nothing."""
    async with waiting(telling, monkeypatch, paused_run()) as kept:
        answers = [await said(telling, press(user, press_id=str(number))) for number in range(2)]

    for answer in answers:
        assert answer.startswith("Not approved. NOT_PERMITTED: expected the role approver to approve a plan, found ")
        assert role in answer
        assert answer.endswith("; ask Kim, Lee, or correct [people]")
    assert resumed(kept) == []
    assert len(of_type(telling, "not_permitted")) == 2
    assert len({one.message.key for one in telling.outbox.waiting() if "not-permitted" in one.message.key}) <= 1


async def test_of_two_people_at_once_one_answers_and_the_other_reads_who(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run takes one answer; the server decides whose."""
    taken = threading.Lock()

    def script(asked: Asked) -> bytes:
        if not asked.path.endswith("/resume"):
            return replied(200, True if asked.path.endswith("/health") else [paused_run()])
        if not taken.acquire(blocking=False):
            return replied(200, {"status": "REJECT", "details": {"reason": "not paused"}})
        by = Approval(answer=ApprovalAnswer.APPROVED, by=asked.fields["run_input"]["answered_by"])
        append(telling.ledger, late_answer_records("order-service", {"INC-1": ["k"]}, by, datetime.now(UTC)))
        return replied(200, {"status": "ACCEPT"})

    async with scripted(script) as (api, _):
        monkeypatch.setenv("PREFECT_API_URL", f"{api}/api")
        answers = await asyncio.gather(*(said(telling, press(user)) for user in ("U0KIM", "U0LEE")))

    (lost,) = [one for one in answers if one.startswith("Not approved. NOTHING_WAITS: ")]
    (won,) = [one for one in answers if one.startswith("Approved by ")]
    winner = won.split()[2].rstrip(":")
    assert f"the run has gone on; approved by {winner}" in lost
    assert len(of_type(telling, APPROVAL_TYPE)) == 1


async def test_a_second_press_within_moments_does_nothing(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thumb that shakes."""
    async with waiting(telling, monkeypatch, paused_run()) as kept:
        answers = [await said(telling, press(press_id=name)) for name in ("a", "b", "a")]

    assert answers[1:] == ["", ""]
    assert len(resumed(kept)) == 1


async def test_with_prefect_away_an_answer_is_refused_and_may_be_pressed_again(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not done is not remembered as done."""
    away = await said(telling, press(press_id="a"))
    async with waiting(telling, monkeypatch, paused_run()):
        back = await said(telling, press(press_id="b"))

    assert away.startswith("Not approved. PREFECT_UNREACHABLE: ")
    assert back.startswith("Approved by Kim: ")


@pytest.mark.parametrize(("asset_class", "others"), [("equity", 0), (None, 3)])
async def test_a_class_is_paused_with_prefect_away_as_who_pressed(
    telling: Telling, asset_class: str | None, others: int
) -> None:
    """The way of `runbook pause`: no Prefect, no plan, one halt."""
    states: dict[str, str] = {}
    async with scripted(lambda asked: trades(states, asked)) as (url, _):
        telling.more["services"] = {"order-service": {"base_url": url, "control_token": "t0k3n"}}
        one = press("U0BOB", Pressed.PAUSE, asset_class=asset_class)
        answers = [await said(telling, one) for _ in range(2)]

    assert answers[0].startswith("order-service: pause strategies: ")
    assert answers[1] == ""
    assert states["trading/equity"] == "halted"
    assert len(states) == 1 + others
    started = [one for one in read_ledger(telling.ledger).records if one.event == Event.ACTION_STARTED]
    assert len(started) == 1 + others
    assert "Manual action by Bob" in (telling.state_dir / "notifications.jsonl").read_text("utf-8") or any(
        "Manual action by Bob" in queued.message.text for queued in telling.outbox.waiting()
    )


async def test_a_viewer_pauses_nothing_from_slack(telling: Telling) -> None:
    """At a shell nobody is refused a pause; a press on a phone needs the role."""
    answer = await said(telling, press("U0VAL", Pressed.PAUSE, asset_class="equity"))

    assert answer.startswith("Not paused. NOT_PERMITTED: expected the role responder to pause trading, ")


@pytest.mark.parametrize("what", [Pressed.APPROVE, Pressed.REJECT, Pressed.PAUSE])
async def test_without_people_in_slack_nothing_but_pages_is_taken(telling: Telling, what: Pressed) -> None:
    """Also where somebody makes up a press: nobody is proven."""
    telling.more["people"] = {}

    assert "NOT_PERMITTED: expected a Slack user in [people]" in await said(telling, press(what=what))
    assert (await said(telling, press(what=Pressed.ACKNOWLEDGE, press_id="2"))).startswith("INC-1 is with you until")


async def test_an_acknowledgement_names_the_person_of_people(telling: Telling) -> None:
    """Not the name that somebody chose in Slack."""
    await said(telling, press("U0BOB", Pressed.ACKNOWLEDGE, by="Boss"))

    assert telling.incident.acknowledged_by == "Bob"
    refused = await said(telling, press("U0VAL", Pressed.ACKNOWLEDGE))
    assert refused.startswith("Not taken. NOT_PERMITTED: expected the role responder to acknowledge an incident")


async def test_settings_that_became_wrong_are_reported_to_who_pressed(telling: Telling) -> None:
    """The process lives for months, and reads its settings at each press."""

    def broken() -> RunbookSettings:
        raise RunbookError(Code.BAD_SETTING, "key=people.kim.role was 'boss'; correct it")

    words = await asyncio.to_thread(pressed, broken, press(), telling.now)

    assert words == "Not approved. BAD_SETTING: key=people.kim.role was 'boss'; correct it"


async def test_a_connection_lost_between_press_and_receipt_answers_once(
    telling: Telling, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack sends the press again over the next connection; the run gets one answer, and the person one word."""
    telling.queue(message())
    telling.round()
    async with waiting(telling, monkeypatch, paused_run()) as kept:
        with socket_mode() as socket:
            fake.socket_url = socket.url
            await asyncio.to_thread(lost_and_sent_again, telling, fake, socket)

    assert len(resumed(kept)) == 1
    assert [one["text"] for one in fake.hooked] == ["Approved by Kim: pause strategies equity (INC-1)."]


def lost_and_sent_again(telling: Telling, fake: FakeSlack, socket: FakeSocket) -> None:
    """Press while the connection breaks off, and wait for the answer."""
    settings, stop = telling.settings, threading.Event()
    assert settings.slack.app_token
    heard = (settings.slack, settings.slack.app_token, lambda one: words_of(telling, one), stop)
    listening = threading.Thread(target=listen_for_presses, args=heard, daemon=True)
    listening.start()
    try:
        assert socket.connected.wait(20)
        socket.loses_next = True
        value = f'{{"service": "order-service", "incident_id": "INC-1", "flow_run": "{RUN}", "plan": "{PLAN}"}}'
        block = {"block_id": "answer", "elements": [{"action_id": "approve_plan", "value": value}]}
        envelope = socket.click(block, 0, user="U0KIM", answer_url=fake.webhook_url)
        socket.received(envelope)
        eventually(lambda: bool(fake.hooked), within_s=30)
        assert socket.connections_count == 2
    finally:
        stop.set()
        listening.join(20)
