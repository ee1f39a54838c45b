"""Several services on the real stack: the worker gives each that needs it a triage in a process of its own."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import Patient, end, watched
from tests.fakes.stack.local_stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="the stub is found by its command line"),
]
SCENARIOS = {"orders-eu": "healthy", "orders-us": "hung"}


@pytest.fixture
def host(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The stack's own service, one more that is well and one that hangs; the minute's own runs are paused."""
    stack.wait_for_triage()
    schedule(stack, "pause")
    settings = stack.state_dir / "runbook.toml"
    before, patients = settings.read_text("utf-8"), dict[str, Patient]()
    try:
        for name, scenario in SCENARIOS.items():
            (tmp_path / name).mkdir()
            patients[name] = watched(tmp_path / name, scenario)
            patients[name].start()
        settings.write_text(before + "".join(table(name, one) for name, one in patients.items()), "utf-8")
        yield stack
    finally:
        settings.write_text(before, "utf-8")
        for one in patients.values():
            end(one)
        schedule(stack, "resume")


def table(name: str, patient: Patient) -> str:
    """Write what watches one service."""
    pattern = patient.service.process_pattern
    return (
        f'\n[services.{name}]\nbase_url = "{patient.service.url}"\n'
        f"process_pattern = {json.dumps(pattern.pattern if pattern else '')}\n"
        f'[services.{name}.synthetic_orders.equity]\nsymbol = "ZVZZT"\n'
    )


def api(stack: Stack) -> str:
    """The API of the stack's server."""
    return stack.api()


def schedule(stack: Stack, word: str) -> None:
    """Pause or resume the run of every minute."""
    found = ask(f"{api(stack)}/deployments/name/triage/every-minute", timeout_s=20) or {}
    ask(f"{api(stack)}/deployments/{found['id']}/{word}_deployment", {}, timeout_s=20)


def run_of(url: str, run_id: str) -> dict[str, Any]:
    """One run as it stands."""
    return dict(ask(f"{url}/flow_runs/{run_id}", timeout_s=20) or {})


def child_runs(url: str, since: datetime) -> list[dict[str, Any]]:
    """The triages of single services that a round has started."""
    question = {
        "deployments": {"name": {"any_": ["one-service"]}},
        "flow_runs": {"expected_start_time": {"after_": since.isoformat()}},
    }
    return list(ask(f"{url}/flow_runs/filter", question, timeout_s=20) or [])


def test_the_one_that_hangs_has_a_run_of_its_own_and_the_round_does_not_wait_for_it(host: Stack) -> None:
    """Those that are well are reported at once; the third is looked at three times, in a process that may hang."""
    url = api(host)
    manual = ask(f"{url}/deployments/name/triage/do-triage", timeout_s=20) or {}
    asked = {"parameters": {"mode": "observe"}, "state": {"type": "SCHEDULED"}}
    made = ask(f"{url}/deployments/{manual['id']}/create_flow_run", asked, timeout_s=20) or {}

    eventually(lambda: run_of(url, made["id"]).get("end_time"), within_s=120, every_s=1)
    all_of_them = run_of(url, made["id"])
    since = datetime.fromisoformat(made["expected_start_time"]) - timedelta(seconds=2)
    eventually(lambda: all(one["end_time"] for one in child_runs(url, since)), within_s=180, every_s=2)
    own = {one["parameters"]["service"]: one for one in child_runs(url, since)}

    assert all_of_them["state_type"] == "COMPLETED"
    assert all_of_them["name"].startswith("orders-us (")
    assert all_of_them["name"].endswith(" of 3 services")
    assert "orders-us" in own
    assert own["orders-us"]["state_type"] == "COMPLETED"
    assert own["orders-us"]["parent_task_run_id"]
    assert own["orders-us"]["infrastructure_pid"] != all_of_them["infrastructure_pid"]
    assert own["orders-us"]["end_time"] > all_of_them["end_time"]
    assert own["orders-us"]["name"].startswith("orders-us hung since ")
