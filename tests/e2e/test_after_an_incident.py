"""What an incident leaves behind on the real stack: a document, a test that replays, a check to decide on."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
NAME = "order-service"


@pytest.fixture
def patient(stack: Stack) -> Stack:
    """A healthy stack whose automation is armed."""
    stack.wait_for_triage()
    assert stack.run("rearm", "--reason", "a new test").returncode == 0
    return stack


def ended(stack: Stack) -> list[str]:
    """The incidents that are over, by id."""
    return [one["incident_id"] for one in said(stack, "incidents") if one["closed_at"]]


def said(stack: Stack, *words: str) -> Any:
    """What a command prints as JSON."""
    done = stack.run(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_hang_leaves_a_document_a_test_that_replays_and_a_check(patient: Stack) -> None:
    """Nobody writes anything: the morning after has all that the meeting needs, and the rules a new test."""
    before = set(ended(patient))
    os.kill(patient.status()["services"][NAME]["pid"], signal.SIGSTOP)
    eventually(lambda: set(ended(patient)) - before, within_s=200, every_s=1)
    incident_id = next(one for one in ended(patient) if one not in before)
    document = patient.state_dir / "postmortems" / f"{incident_id}.md"
    eventually(document.exists, within_s=30, every_s=0.5)

    text = document.read_text("utf-8")
    assert "**service hung**, confirmed" in text
    assert "**restart service" in text
    assert ": helped." in text
    api = patient.api()
    shown = ask(f"{api}/artifacts/filter", {"artifacts": {"key": {"like_": "postmortem-inc-"}}}) or []
    assert any(incident_id in one["description"] for one in shown)

    replayed = said(patient, "replay")["regressions"]
    assert incident_id in {one["incident_id"] for one in replayed if one["same"]}
    drafted = [one["check_id"] for one in said(patient, "checks")["checks"]]
    assert drafted
    assert said(patient, "checks", "accept", drafted[0], "--by", "e2e")["status"] == "accepted"
    assert drafted[0] in {one["check_id"] for one in said(patient, "check")["checks"]}
    again = said(patient, "postmortem", incident_id)
    assert (again["incident_id"], Path(again["path"]), again["published"]) == (incident_id, document, True)
