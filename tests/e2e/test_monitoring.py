"""The monitoring around the real stack: an alert starts a triage, and a watch that stopped is reported."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.stack.local_http import ask
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import Stack
from tests.fakes.stack.monitoring import ALERTMANAGER, PROMETHEUS, monitoring

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
INSTALLED = pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None, reason="Debian's prometheus and prometheus-alertmanager are not here"
)
NAME = "order-service"


@pytest.fixture
def observed(stack: Stack) -> Iterator[Stack]:
    """A stack whose automation only looks; afterwards it is whole, well, and acts again."""
    stack.wait_for_triage()
    assert stack.run("mode", "observe").returncode == 0
    yield stack
    assert stack.run("mode", "act").returncode == 0
    fixed = stack.run("up", "--detach")
    assert fixed.returncode == 0, fixed.stderr
    eventually(lambda: closed_by_a_triage(stack), within_s=150, every_s=5)


def closed_by_a_triage(stack: Stack) -> bool:
    """Run a triage, and say whether no incident is open after it."""
    stack.run("triage", "--json")
    return stack.status()["open_incidents"] == []


def started_by_alerts(stack: Stack) -> list[dict[str, Any]]:
    """The finished triages that Alertmanager started."""
    api = stack.api()
    question = {"flow_runs": {"tags": {"all_": ["alert"]}, "state": {"type": {"any_": ["COMPLETED"]}}}}
    return list(ask(f"{api}/flow_runs/filter", question, timeout_s=5.0) or [])


def test_the_stack_sets_up_the_automation_that_watches_the_watch(stack: Stack) -> None:
    """What prefect.yaml declares is on the server after one command, and starts the watchdog's own deployment."""
    api = stack.api()
    (automation,) = [
        one for one in ask(f"{api}/automations/filter", {}) or [] if one["name"] == "no triage for three minutes"
    ]
    watchdog = ask(f"{api}/deployments/name/watchdog/triage-stopped") or {}

    assert automation["enabled"]
    assert [one["deployment_id"] for one in automation["actions"]] == [watchdog["id"]]


@INSTALLED
def test_a_service_that_fails_fires_the_alert_and_the_alert_starts_the_triage(observed: Stack, tmp_path: Path) -> None:
    """From the dead process to a triage that knows which alert fired and since when: nobody has to be awake."""
    with monitoring(observed, tmp_path) as prometheus:
        eventually(lambda: sum(prometheus.query("up").values()) == 2, within_s=30, every_s=0.2)
        assert prometheus.query('runbook_mode{mode="observe"}')
        assert prometheus.query('runbook_service_status{status="ok"} == 1')
        assert prometheus.firing() == set()

        os.kill(observed.status()["services"][NAME]["pid"], signal.SIGKILL)
        eventually(lambda: "OrderServiceDown" in prometheus.firing(), within_s=30, every_s=0.2)
        eventually(lambda: started_by_alerts(observed), within_s=60, every_s=0.5)
        run = started_by_alerts(observed)[0]
        (alert,) = [
            one for one in run["parameters"]["payload"]["alerts"] if one["labels"]["alertname"] == "OrderServiceDown"
        ]

        assert run["parameters"]["service"] == NAME
        assert run["parameters"]["alert"] == "health_check_failed"
        assert alert["annotations"]["summary"] == f"{NAME} is not responding"
        assert alert["startsAt"] < run["start_time"]
        eventually(lambda: prometheus.query('runbook_alerts_total{result="started"} >= 1'), within_s=10)
        eventually(lambda: prometheus.query('runbook_open_incidents{cause="service_down"} == 1'), within_s=30)
        assert [one for one in observed.status()["open_incidents"] if "service_down" in one]

        assert observed.run("up", "--detach").returncode == 0
        eventually(lambda: "OrderServiceDown" not in prometheus.firing(), within_s=60, every_s=0.2)


def test_a_worker_that_died_is_told_within_the_fourth_minute(stack: Stack) -> None:
    """The automation's run waits for a worker that is gone; the page comes all the same, and closes by itself."""
    stack.wait_for_triage()
    worker = psutil.Process(stack.status()["worker"]["pid"])
    for one in [*worker.children(recursive=True), worker]:
        one.kill()
    try:
        eventually(lambda: stack.status()["open_incidents"], within_s=260, every_s=2)
        (incident,) = stack.status()["open_incidents"]
        eventually(lambda: len(told(stack, incident)) == 2, within_s=30)
        assert {one["audience"] for one in told(stack, incident)} == {"tier_3", "tier_1"}
    finally:
        assert stack.run("up", "--detach").returncode == 0

    eventually(lambda: closed_by_a_triage(stack), within_s=150, every_s=5)


def told(stack: Stack, incident_id: str) -> list[dict[str, Any]]:
    """What people were notified of one incident."""
    return [
        message
        for one in ask_incidents(stack)
        if one["incident_id"] == incident_id
        for message in one["messages"]
        if message["delivered"]
    ]


def ask_incidents(stack: Stack) -> list[dict[str, Any]]:
    """Every incident, as `runbook incidents` tells it."""
    found: list[dict[str, Any]] = json.loads(stack.run("incidents", "--json").stdout)
    return found
