"""The main job, on the real stack: break the service or a gateway, and read what the automation did about it."""

import json
import os
import signal
import sys
import threading
import time
from typing import Any

import pytest

from deployments.stack.local_http import ask
from tests.fakes.drills.game_day import GameDay
from tests.fakes.drills.order_load import OrderLoad
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
STORY = ["opened", "diagnosed", "notified", "action_started", "action_finished", "recovered", "closed"]


def triage(live_day: GameDay) -> dict[str, Any]:
    """Run a triage by hand, and give what it printed."""
    done = live_day.stack.run("triage", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def closed(live_day: GameDay, cause: str) -> dict[str, Any]:
    """Wait until the one new incident of a cause is closed, and give it as the command tells it."""
    eventually(lambda: cause in live_day.opened() and not any(one.is_open for one in live_day.new_incidents()), 90, 0.5)
    told = json.loads(live_day.stack.run("incidents", "--json").stdout)
    (incident,) = (one for one in told if cause in one["causes"] and one["incident_id"] not in live_day.before)
    found: dict[str, Any] = incident
    return found


def events(live_day: GameDay, incident_id: str) -> list[str]:
    """The story of one incident, as the file tells it; the minute's own run may observe it, and no more."""
    records = map(json.loads, (live_day.state_dir / "incidents.jsonl").read_text("utf-8").splitlines())
    told = [record["event"] for record in records if record["incident_id"] == incident_id]
    return list(dict.fromkeys(event for event in told if event != "observed"))


@pytest.mark.parametrize(
    ("number", "cause"),
    [pytest.param(signal.SIGSTOP, "service_hung", marks=pytest.mark.drill), (signal.SIGKILL, "service_down")],
)
def test_a_service_that_hangs_or_dies_is_restarted_and_its_order_in_flight_is_asked_for(
    live_day: GameDay, number: signal.Signals, cause: str
) -> None:
    """The main job: orders fill again, the ledger tells the story, and the order in flight is not sent again."""
    pid, load = live_day.pid(), OrderLoad(live_day.base_url)
    sender = threading.Thread(target=load.send)
    with live_day.fault("XNAS", fault="latency", latency_ms=2000):
        sender.start()
        eventually(lambda: load.answers and load.answers.keys() <= booked_at(live_day, "XNAS"))
        os.kill(pid, number)
    sender.join()

    triage(live_day)

    incident = closed(live_day, cause)
    assert live_day.pid() != pid
    assert load.send() == "filled"
    assert events(live_day, incident["incident_id"]) == STORY
    assert [(one["action"], one["outcome"]) for one in incident["actions"]] == [("restart_service", "recovered")]
    live_day.audit(load)
    (in_flight,) = [name for name, answer in load.answers.items() if answer is None]
    assert (ask(f"{live_day.base_url}/orders/{in_flight}") or {}).get("status") == "filled"


def booked_at(live_day: GameDay, gateway: str) -> set[str]:
    """What a gateway has booked, as its admin port tells under any fault."""
    found = ask(f"{live_day.settings.gateways[gateway].admin_url}orders", timeout_s=5) or {"orders": []}
    return {one["client_order_id"] for one in found["orders"]}


@pytest.mark.drill
def test_the_minutes_own_triage_restarts_a_stopped_service_within_75_s(live_day: GameDay) -> None:
    """Nobody presses anything: the next scheduled run finds it and heals it."""
    pid = live_day.pid()
    os.kill(pid, signal.SIGSTOP)
    stopped_at = time.monotonic()

    eventually(lambda: live_day.running_pid() not in {pid, None} and live_day.release(), within_s=75, every_s=0.5)

    assert time.monotonic() - stopped_at <= 75
    assert OrderLoad(live_day.base_url).send() == "filled"
    closed(live_day, "service_hung")


@pytest.mark.drill
def test_a_dead_gateway_is_led_around_and_never_restarts_the_service(live_day: GameDay) -> None:
    """Rule 6: the desk and the platform hear of it in the runbook's words; the service is left alone."""
    pid = live_day.pid()
    live_day.kill(live_day.gateway_pid("XNAS"))

    triage(live_day)

    eventually(lambda: live_day.done() == [("mark_degraded", "done"), ("reroute_orders", "recovered")], 60, 0.5)
    assert live_day.pid() == pid
    assert (
        "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."
        in live_day.told("desk")
    )
    assert any(
        text.startswith("Incident: order-routing health checks failing since 20")
        and "Key artifacts: incidents.jsonl, service logs, sample failing request/response." in text
        for text in live_day.told("tier_3")
    )

    live_day.up()
    live_day.resume("equity")
    triage(live_day)
    assert any(one.is_open for one in live_day.new_incidents()), "its mark is still in force"
    live_day.unmark("XNAS")
    triage(live_day)
    closed(live_day, "dependency_unreachable")


@pytest.mark.drill
def test_observe_looks_and_tells_and_never_acts(live_day: GameDay) -> None:
    """Rule 12: the switch holds whatever the evidence; a person restarts."""
    pid = live_day.pid()
    assert live_day.stack.run("mode", "observe").returncode == 0
    with live_day.stopped(pid):
        triage(live_day)
        assert live_day.opened() == {"service_hung"}
        assert live_day.done() == []
        assert live_day.pid() == pid
        assert any("mode=observe" in text for text in live_day.told("tier_1"))


@pytest.mark.drill
def test_a_person_approves_the_restart_in_propose_mode(live_day: GameDay) -> None:
    """Rule 12: the run waits at a form in the Prefect UI, and acts on a yes."""
    pid = live_day.pid()
    live_day.leave_alone(alone=True)
    assert live_day.stack.run("mode", "propose").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    following = live_day.stack.start("triage", "--json")
    paused = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
    eventually(lambda: live_day.ask_api("flow_runs/filter", paused), within_s=90, every_s=0.5)
    (run,) = live_day.ask_api("flow_runs/filter", paused)

    answer = {"run_input": {"decision": "approve", "answered_by": "test", "note": ""}}
    assert live_day.ask_api(f"flow_runs/{run['id']}/resume", answer)["status"] == "ACCEPT"

    following.communicate(timeout=180)
    assert following.returncode == 0
    incident = closed(live_day, "service_hung")
    assert [(one["action"], one["outcome"]) for one in incident["actions"]] == [("restart_service", "recovered")]
    assert live_day.pid() != pid


def test_every_run_leaves_a_report_that_reads_as_the_runbook(live_day: GameDay) -> None:
    """The on-call engineer opens one artifact and finds each line of the page."""
    run_id = triage(live_day)["flow_run_id"]
    question = {"artifacts": {"flow_run_id": {"any_": [run_id]}, "key": {"like_": "triage"}}}
    (report,) = live_day.ask_api("artifacts/filter", question)

    for section in ("§1.1", "§1.2", "§1.3", "§1.4", "§2", "§3"):
        assert f"**{section} " in report["data"]
