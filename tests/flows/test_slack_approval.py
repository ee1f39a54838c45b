"""A hang at night is approved from its thread in Slack, over real HTTP and WebSocket, by a run that really waits."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.prefect_api.approvals import answer, answer_plan, own_waiting
from deployments.prefect_api.client import PrefectDoor
from deployments.slack_buttons import pressed
from flows.remediation import remediation
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import set_mode
from tasks.clients.messages.delivery_thread import sender_of
from tasks.clients.messages.slack.socket_mode import listen_for_presses
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import LedgerRecord, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.people.person import Door, Identity
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.incidents.action_history import APPROVAL_TYPE
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.templates import message_of
from tasks.settings import load_settings
from tests.fakes.incident.triaged import triaged
from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import Patient, running
from tests.fakes.slack.slack_api import CHANNEL, TOKEN, FakeSlack
from tests.fakes.slack.slack_server import slack
from tests.fakes.slack.slack_socket_server import FakeSocket, socket_mode
from tests.flows.test_approval import NAME, case_of, ended, form_of, shown_on

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PEOPLE = {
    "kim": {"name": "Kim", "role": "approver", "slack": "U0KIM"},
    "lee": {"name": "Lee", "role": "approver", "slack": "U0LEE", "logins": ["lee"]},
    "val": {"name": "Val", "slack": "U0VAL"},
}


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


@pytest.fixture
def hung(tmp_path: Path, prefect: str, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A hung service in mode propose, people, and a Slack whose buttons are received."""
    with running(tmp_path, control_token="any") as one:
        one.watch_from_the_environment(monkeypatch)
        known = {"token": TOKEN, "app_token": "xapp-1", "base_url": fake.base_url, "channel": CHANNEL}
        monkeypatch.setenv("RUNBOOK_SLACK", json.dumps(known))
        monkeypatch.setenv("RUNBOOK_PEOPLE", json.dumps(PEOPLE))
        monkeypatch.setenv("PREFECT_API_URL", prefect)
        set_mode(one.settings, Mode.PROPOSE)
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one


@contextmanager
def listening(fake: FakeSlack) -> Iterator[FakeSocket]:
    """Receive presses as `python -m deployments.slack_buttons` does."""
    settings, stop = load_settings(), threading.Event()
    assert settings.slack.app_token
    with socket_mode() as socket:
        fake.socket_url = socket.url
        heard = (
            settings.slack,
            settings.slack.app_token,
            lambda one: pressed(load_settings, one, datetime.now(UTC)),
            stop,
        )
        thread = threading.Thread(target=listen_for_presses, args=heard, daemon=True)
        thread.start()
        try:
            assert socket.connected.wait(30)
            yield socket
        finally:
            stop.set()
            thread.join(20)


def page(patient: Patient) -> None:
    """Send the page that opens the thread, as the triage does."""
    incident = fold_incidents(read_ledger(patient.ledger), NAME)[0]
    sender_of(load_settings()).tell(NAME, message_of(incident, Audience.TIER_1, "opened", "order-service hung"))


def answers_block(fake: FakeSlack) -> dict[str, Any] | None:
    """Find the block of the head that answers a plan."""
    blocks = fake.heads()[0].blocks if fake.heads() else []
    return next((one for one in blocks if one.get("block_id") == "answer"), None)


async def until(holds: Callable[[], object], within_s: float = 60) -> None:
    await asyncio.to_thread(eventually, holds, within_s)


def of_type(patient: Patient, kind: str) -> list[LedgerRecord]:
    return [one for one in read_ledger(patient.ledger).records if one.type == kind]


async def test_a_hang_is_approved_from_the_thread_and_recovered(hung: Patient, fake: FakeSlack) -> None:
    """The head offers the answer while the plan waits; a viewer is refused, an approver restarts the service."""
    case = case_of(await triaged(hung))
    page(hung)
    with listening(fake) as socket:
        run = asyncio.create_task(remediation(case))
        await until(lambda: answers_block(fake))
        block = answers_block(fake)
        assert block
        assert "restart service" in block["elements"][0]["confirm"]["text"]["text"]

        socket.click(block, 0, user="U0VAL", answer_url=fake.webhook_url)
        await until(lambda: fake.hooked)
        assert fake.hooked[0]["text"].startswith("Not approved. NOT_PERMITTED: expected the role approver")
        assert not run.done()

        socket.click(block, 0, user="U0KIM", answer_url=fake.webhook_url)
        result = await ended(run)
        await until(lambda: len(fake.hooked) == 2)
        await until(lambda: answers_block(fake) is None)
        socket.click(block, 1, user="U0LEE", answer_url=fake.webhook_url)
        await until(lambda: len(fake.hooked) == 3)

    assert result.outcome is Outcome.RECOVERED
    assert fake.hooked[1]["text"].startswith("Approved by Kim: restart service")
    assert "approved by Kim" in fake.hooked[2]["text"]
    assert fake.hooked[2]["text"].startswith("Not rejected. NOTHING_WAITS: ")
    (said,) = of_type(hung, APPROVAL_TYPE)
    assert (said.details["by"], said.details["answer"]) == ("Kim", "approved")
    assert [one.details["door"] for one in of_type(hung, "answer_given")] == ["Slack user U0KIM"]
    assert fake.wrong == []


async def test_two_people_approve_what_four_eyes_name_and_a_typed_name_is_nobody(
    hung: Patient, fake: FakeSlack, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form without a login proves nobody; one person in Slack is the first, another at a shell the second."""
    monkeypatch.setenv("RUNBOOK_FOUR_EYES", '["restart_service"]')
    case = case_of(await triaged(hung))
    incident_id, door = case.plan.actions[0].incident_id, PrefectDoor(prefect)
    page(hung)
    run = asyncio.create_task(remediation(case))
    first = await form_of(prefect, incident_id)
    await asyncio.to_thread(answer, door, first["flow_run_id"], "approve", "Kim", "")
    again = await form_of(prefect, incident_id, but=first["since"])
    assert "which proves nobody" in await shown_on(prefect, again["flow_run_id"], "paused-approval-2")

    kim, lee = Identity(door=Door.SLACK, name="U0KIM"), Identity(door=Door.LOGIN, name="lee")
    yes, settings = Approval(answer=ApprovalAnswer.APPROVED), load_settings()
    (plan,) = await asyncio.to_thread(own_waiting, door, settings, datetime.now(UTC))
    half = await asyncio.to_thread(answer_plan, door, settings, plan, kim, yes)
    await form_of(prefect, incident_id, but=again["since"])
    await until(lambda: "Waits for a second person (approved by Kim)" in fake.heads()[0].text)
    whole = await asyncio.to_thread(answer_plan, door, settings, plan, lee, yes)
    result = await ended(run)

    assert half.endswith("A second person must approve it, too.")
    assert whole.startswith("Approved by Lee: restart service")
    assert result.outcome is Outcome.RECOVERED
    assert [one.summary for one in of_type(hung, APPROVAL_TYPE)] == [
        "approved by Kim; waits for a second person",
        "approved by Kim and Lee",
    ]
    assert len(of_type(hung, "not_permitted")) == 1
