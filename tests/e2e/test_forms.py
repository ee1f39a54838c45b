"""The forms on the real stack: as a person at the Prefect UI starts them, down to the order service."""

import json
import sys
import uuid
from typing import Any

import pytest

from deployments.stack.local_http import ask
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="the stack is POSIX"),
]


def submitted(stack: Stack, form: str, **fields: Any) -> dict[str, Any]:
    """Submit one form as the UI does, and give the server's answer."""
    api = stack.api()
    deployment = ask(f"{api}/deployments/name/remediation/do-{form}") or {}
    body = {"parameters": fields, "state": {"type": "SCHEDULED"}}
    found: dict[str, Any] = ask(f"{api}/deployments/{deployment['id']}/create_flow_run", body, timeout_s=10) or {}
    return found


def ended(stack: Stack, run: dict[str, Any]) -> str:
    """Wait for the end of a run, and give what its artifact says."""
    api = stack.api()
    done = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
    # A server that is busy may leave one question without an answer.
    eventually(
        lambda: ((ask(f"{api}/flow_runs/{run['id']}") or run)["state"])["type"] in done, within_s=90, every_s=0.5
    )
    question = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["outcome"]}}}
    (outcome,) = ask(f"{api}/artifacts/filter", question) or [{"description": "no outcome"}]
    return str(outcome["description"])


def crypto(stack: Stack) -> dict[str, Any]:
    """What the order service says of crypto, which trades at any hour."""
    base_url = stack.status()["services"]["order-service"]["base_url"]
    found: dict[str, Any] = (ask(f"{base_url}/routing") or {})["asset_classes"]["crypto"]
    return found


def test_a_person_pauses_and_resumes_a_class_from_the_forms(stack: Stack) -> None:
    """Through the server, the worker and the control plane; also in mode observe, and a reason must be given."""
    who = {"by": "ada", "reason": f"drill {uuid.uuid4().hex}"}
    stack.wait_for_triage()
    assert stack.run("mode", "observe").returncode == 0
    try:
        nameless = submitted(stack, "pause", asset_class="crypto", reason=" ", by="ada")
        paused = ended(stack, submitted(stack, "pause", asset_class="crypto", **who))
        held = crypto(stack)
        refused = ended(stack, submitted(stack, "resume", asset_class="crypto", **who))
    finally:
        assert stack.run("mode", "act").returncode == 0
    resumed = ended(stack, submitted(stack, "resume", asset_class="crypto", **who))

    assert "id" not in nameless
    assert "pause strategies: done" in paused
    assert (held["trading_state"], held["set_by"]) == ("halted", "ada")
    assert "refused. MODE_FORBIDS" in refused
    assert "resume: done" in resumed
    assert crypto(stack)["trading_state"] == "active"
    found = json.loads(stack.run("incidents", "--json").stdout)
    ours = [one for one in found if "by_hand" in one["incident_id"]]
    assert [one["actions"][0]["action"] for one in ours if one["actions"]] == ["pause_strategies", "resume"]
    assert all(one["closed_at"] for one in ours)
