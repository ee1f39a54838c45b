"""A hang on the real stack is approved from its thread in Slack: press, server, worker, service, and the head again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.test_incidents import closed
from tests.fakes.drills.game_day import GameDay
from tests.fakes.polling import eventually
from tests.fakes.slack.slack_api import CHANNEL, TOKEN, FakeSlack
from tests.fakes.slack.slack_server import slack
from tests.fakes.slack.slack_socket_server import FakeSocket, socket_mode
from tests.fakes.stack.local_stack import REPOSITORY

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(420),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
SETTINGS = """
[slack]
token = "{token}"
app_token = "xapp-1"
base_url = "{url}"
channel = "{channel}"

[people.kim]
name = "Kim"
role = "approver"
slack = "U0KIM"

[people.bob]
name = "Bob"
role = "responder"
slack = "U0BOB"
"""


@contextmanager
def in_slack(day: GameDay) -> Iterator[tuple[FakeSlack, FakeSocket]]:
    """Let the stack report in a Slack of ours, and receive its buttons as a process of its own."""
    config = day.stack.state_dir / "runbook.toml"
    before = config.read_text("utf-8")
    with slack() as fake, socket_mode() as socket:
        fake.socket_url = socket.url
        config.write_text(before + SETTINGS.format(token=TOKEN, url=fake.base_url, channel=CHANNEL), "utf-8")
        receiver = subprocess.Popen(
            [sys.executable, "-m", "deployments.slack_buttons"], env=day.stack.environment(), cwd=REPOSITORY
        )
        try:
            assert socket.connected.wait(90)
            yield fake, socket
        finally:
            receiver.terminate()
            receiver.wait(30)
            config.write_text(before, "utf-8")


def answer_block(fake: FakeSlack) -> dict[str, Any] | None:
    """Find what answers a plan at the head of the incident's thread."""
    blocks = (block for head in fake.heads() for block in head.blocks)
    return next((one for one in blocks if one.get("block_id") == "answer"), None)


def test_a_hang_at_night_is_approved_from_the_thread_and_recovered(live_day: GameDay) -> None:
    """A responder may not; an approver's press restarts the service, and the thread says that it is over."""
    pid = live_day.pid()
    live_day.leave_alone(alone=True)
    assert live_day.stack.run("mode", "propose").returncode == 0
    with in_slack(live_day) as (fake, socket):
        os.kill(pid, signal.SIGSTOP)
        following = live_day.stack.start("triage", "--json")
        eventually(lambda: answer_block(fake), within_s=120, every_s=0.2)
        block = answer_block(fake)
        assert block

        socket.click(block, 0, user="U0BOB", answer_url=fake.webhook_url)
        eventually(lambda: fake.hooked, within_s=30)
        socket.click(block, 0, user="U0KIM", answer_url=fake.webhook_url)
        eventually(lambda: len(fake.hooked) == 2, within_s=60)
        following.communicate(timeout=180)
        incident = closed(live_day, "service_hung")
        eventually(lambda: "closed" in fake.heads()[0].text, within_s=60, every_s=0.5)

    assert "NOT_PERMITTED: expected the role approver to approve a plan" in fake.hooked[0]["text"]
    assert fake.hooked[1]["text"].startswith("Approved by Kim: restart service")
    assert [(one["action"], one["outcome"]) for one in incident["actions"]] == [("restart_service", "recovered")]
    assert live_day.pid() != pid
    ledger = (live_day.stack.state_dir / "incidents.jsonl").read_text("utf-8").splitlines()
    answers = [one for one in map(json.loads, ledger) if one["type"] == "approval_answered"]
    assert answers[-1]["details"]["by"] == "Kim"
    assert answer_block(fake) is None
    assert fake.wrong == []
