"""The main job, on the real stack: break the service or a gateway, and read what the automation did about it."""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.local_http import ask
from tests.fakes.local_stack import Stack
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
NAME = "order-service"
STORY = ["opened", "diagnosed", "notified", "action_started", "action_finished", "recovered", "closed"]
QUICK_PROOF = "\n[services.order-service.restart]\nconfirm_for_s = 2\nconfirm_timeout_s = 60\n"
QUICK_PROOF += "\n[services.order-service.limits]\nclose_good_count = 1\nclose_good_s = 0\n"


@pytest.fixture
def patient(stack: Stack) -> Iterator[Stack]:
    """A healthy stack whose automation is armed; a recovery is proven in 2 s, so that the tests are quick."""
    settings = stack.state_dir / "runbook.toml"
    if QUICK_PROOF not in settings.read_text("utf-8"):
        settings.write_text(settings.read_text("utf-8") + QUICK_PROOF, "utf-8")
    stack.wait_for_triage()
    assert stack.run("rearm", "--reason", "a new test").returncode == 0
    yield stack
    assert stack.run("mode", "act").returncode == 0


def service_pid(stack: Stack) -> int:
    """The order service's pid."""
    return int(stack.status()["services"][NAME]["pid"])


def triage(stack: Stack) -> dict[str, Any]:
    """Run a triage by hand, and give what it printed; one more when the minute's own run got there first."""
    done = stack.run("triage", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def incidents(stack: Stack) -> list[dict[str, Any]]:
    """Every incident of the ledger."""
    found: list[dict[str, Any]] = json.loads(stack.run("incidents", "--json").stdout)
    return found


def last_incident(stack: Stack, cause: str, after: set[str]) -> dict[str, Any]:
    """The newest incident of a cause that was not there before."""
    return next(one for one in reversed(incidents(stack)) if cause in one["causes"] and one["incident_id"] not in after)


def known(stack: Stack) -> set[str]:
    """The incidents there are."""
    return {one["incident_id"] for one in incidents(stack)}


def ledger_events(stack: Stack, incident_id: str) -> list[str]:
    """The story of one incident, as the file tells it."""
    lines = (stack.state_dir / "incidents.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [record["event"] for record in records if record["incident_id"] == incident_id]


def messages(stack: Stack, incident_id: str) -> list[dict[str, Any]]:
    """What people were told of one incident."""
    lines = (stack.state_dir / "notifications.jsonl").read_text("utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["incident_id"] == incident_id]


def put(url: str, body: dict[str, Any]) -> None:
    """Set a fault switch."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.status == 200


def order(stack: Stack, client_order_id: str, timeout_s: float = 5.0) -> int | None:
    """Send one real equity order; None when no answer came."""
    body = {
        "client_order_id": client_order_id,
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "1",
        "order_type": "limit",
        "limit_price": "10",
        "time_in_force": "day",
        "asset_class": "equity",
        "strategy": "e2e",
    }
    url = stack.status()["services"][NAME]["base_url"] + "/orders"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return None


def bookings(stack: Stack, gateway: str) -> dict[str, int]:
    """How often a gateway received each order."""
    found = ask(stack.status()["gateways"][gateway]["base_url"] + "/orders", timeout_s=5)
    assert found
    return {one["client_order_id"]: one["received_count"] for one in found["orders"]}


@pytest.mark.parametrize(("number", "cause"), [(signal.SIGSTOP, "service_hung"), (signal.SIGKILL, "service_down")])
def test_a_service_that_hangs_or_dies_is_restarted_and_no_order_is_lost_or_sent_twice(
    patient: Stack, number: signal.Signals, cause: str
) -> None:
    """The main job: orders fill again, the ledger tells the story, and the order in flight is asked for, not resent."""
    before, pid, in_flight = known(patient), service_pid(patient), f"e2e-{uuid.uuid4().hex}"
    admin = patient.status()["gateways"]["XNAS"]["base_url"].rsplit(":", 1)
    admin_url = f"{admin[0]}:{_admin_port(patient)}"
    put(f"{admin_url}/faults", {"fault": "latency", "latency_ms": 2000})
    sender = threading.Thread(target=order, args=(patient, in_flight, 1.0))
    sender.start()
    eventually(lambda: in_flight in bookings_admin(admin_url))
    os.kill(pid, number)
    put(f"{admin_url}/faults", {"fault": "none"})
    sender.join()

    triage(patient)

    eventually(lambda: last_incident(patient, cause, before)["state"] == "closed", within_s=60, every_s=0.5)
    incident = last_incident(patient, cause, before)
    assert service_pid(patient) != pid
    assert order(patient, f"e2e-{uuid.uuid4().hex}") == 201
    # The minute's own run may look at the same time: it observes, and does nothing else.
    story = [event for event in ledger_events(patient, incident["incident_id"]) if event != "observed"]
    assert list(dict.fromkeys(story)) == STORY
    assert [one["action"] for one in incident["actions"]] == ["restart_service"]
    assert incident["actions"][0]["outcome"] == "recovered"
    base_url = patient.status()["services"][NAME]["base_url"]
    eventually(lambda: (ask(f"{base_url}/orders?status=unknown") or {"orders": [1]})["orders"] == [], within_s=30)
    assert (ask(f"{base_url}/orders/{in_flight}") or {}).get("status") == "filled"
    assert set(bookings(patient, "XNAS").values()) == {1}


def _admin_port(stack: Stack) -> int:
    settings = (stack.state_dir / "runbook.toml").read_text("utf-8")
    section = settings.split("[services.order-service.gateways.XNAS]", 1)[1]
    return int(section.split('admin_url = "', 1)[1].split('"', 1)[0].rsplit(":", 1)[1])


def bookings_admin(admin_url: str) -> set[str]:
    """What a gateway has booked, as its admin port tells under any fault."""
    found = ask(f"{admin_url}/orders", timeout_s=5) or {"orders": []}
    return {one["client_order_id"] for one in found["orders"]}


def test_the_minutes_own_triage_restarts_a_stopped_service_within_75_s(patient: Stack) -> None:
    """Nobody presses anything: the next scheduled run finds it and heals it."""
    before, pid = known(patient), service_pid(patient)
    os.kill(pid, signal.SIGSTOP)
    stopped_at = time.monotonic()

    def restarted() -> bool:
        status = patient.status()["services"][NAME]
        return status["pid"] not in {pid, None} and status["health"] == "ok"

    eventually(restarted, within_s=75, every_s=0.5)
    assert time.monotonic() - stopped_at <= 75
    assert order(patient, f"e2e-{uuid.uuid4().hex}") == 201
    eventually(lambda: last_incident(patient, "service_hung", before)["state"] == "closed", within_s=60, every_s=0.5)


def test_a_dead_gateway_is_told_and_never_restarts_the_service(patient: Stack) -> None:
    """Rule 6: the desk and the platform hear of it in the runbook's words; the service is left alone."""
    before, pid = known(patient), service_pid(patient)
    os.kill(patient.status()["gateways"]["XNAS"]["pid"], signal.SIGKILL)

    triage(patient)

    incident = last_incident(patient, "dependency_unreachable", before)
    told = messages(patient, incident["incident_id"])
    assert service_pid(patient) == pid
    assert incident["actions"] == []
    assert incident["tier"] == "tier_3"
    assert [one["text"] for one in told if one["audience"] == "desk"] == [
        "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."
    ]
    (technical,) = (one["text"] for one in told if one["audience"] == "tier_3")
    assert technical.startswith("Incident: order-routing health checks failing since 20")
    assert "Key artifacts: incidents.jsonl, service logs, sample failing request/response." in technical

    assert patient.run("up", "--detach").returncode == 0
    eventually(lambda: patient.status()["services"][NAME]["health"] == "ok", within_s=20)
    triage(patient)
    eventually(lambda: last_incident(patient, "dependency_unreachable", before)["state"] == "closed", every_s=0.5)


def test_observe_looks_and_tells_and_never_acts(patient: Stack) -> None:
    """Rule 12: the switch holds whatever the evidence; a person restarts."""
    before, pid = known(patient), service_pid(patient)
    assert patient.run("mode", "observe").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    try:
        triage(patient)
        incident = last_incident(patient, "service_hung", before)
        assert incident["actions"] == []
        assert service_pid(patient) == pid
        assert any("mode=observe" in one["text"] for one in messages(patient, incident["incident_id"]))
    finally:
        os.kill(pid, signal.SIGCONT)
        patient.run("triage", "--json")


def test_a_person_approves_the_restart_in_propose_mode(patient: Stack) -> None:
    """Rule 12: the run waits at a form in the Prefect UI, and acts on a yes."""
    before, pid = known(patient), service_pid(patient)
    assert patient.run("mode", "propose").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    following = patient.start("triage", "--json")
    api = patient.status()["prefect"]["api_url"]
    paused = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
    eventually(lambda: ask(f"{api}/flow_runs/filter", paused), within_s=60, every_s=0.5)
    (run,) = ask(f"{api}/flow_runs/filter", paused) or []

    answer = {"run_input": {"decision": "approve", "answered_by": "test"}}
    assert (ask(f"{api}/flow_runs/{run['id']}/resume", answer, timeout_s=10) or {}).get("status") == "ACCEPT"

    following.communicate(timeout=120)
    assert following.returncode == 0
    eventually(lambda: last_incident(patient, "service_hung", before)["state"] == "closed", within_s=60, every_s=0.5)
    assert last_incident(patient, "service_hung", before)["actions"][0]["outcome"] == "recovered"
    assert service_pid(patient) != pid


def test_every_run_leaves_a_report_that_reads_as_the_runbook(patient: Stack) -> None:
    """The on-call engineer opens one artifact and finds each line of the page."""
    run_id = triage(patient)["flow_run_id"]
    api = patient.status()["prefect"]["api_url"]
    question = {"artifacts": {"flow_run_id": {"any_": [run_id]}, "key": {"like_": "triage"}}}
    (report,) = ask(f"{api}/artifacts/filter", question) or []

    for section in ("§1.1", "§1.2", "§1.3", "§1.4", "§2.1", "§3"):
        assert f"**{section} " in report["data"]
    assert Path(patient.state_dir / "runbook.toml").exists()
