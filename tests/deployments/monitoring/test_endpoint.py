"""The endpoint as Prometheus and Alertmanager call it: over real HTTP, in a process of its own."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployments.monitoring.alerts import BODY_LIMIT_BYTES
from deployments.prefect_api.client import authorization
from deployments.stack.local_http import answers
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.prefect.prefect_api import PrefectApi, serving_prefect

pytestmark = pytest.mark.live

TOKEN = "alert-token-of-this-test"


@dataclass
class Running:
    """An endpoint that runs, and the Prefect server behind it."""

    url: str
    prefect: PrefectApi

    def post(self, body: bytes, token: str | None = TOKEN) -> tuple[int, dict[str, Any]]:
        """Send a webhook."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(f"{self.url}/alerts", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def metric(self, line: str) -> float:
        """Scrape one series."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310
            found = [one for one in answer.read().decode().splitlines() if one.startswith(f"{line} ")]
        return float(found[0].rpartition(" ")[2])


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Give the settings of an endpoint that watches one service."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
    services = json.dumps({"order-service": {}})
    places = {"RUNBOOK_STATE_DIR": str(folder), "RUNBOOK_SERVICES": services, "RUNBOOK_MONITORING_PORT": str(port)}
    return {**kept, **places, "RUNBOOK_CONFIG": os.devnull, **more}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start it as `runbook up` does."""
    port = free_port()
    with serving_prefect() as prefect:
        secret = {"RUNBOOK_ALERT_TOKEN": TOKEN, "PREFECT_API_URL": prefect.url, "PREFECT_API_KEY": "key"}
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.monitoring"],
            env=environment(tmp_path_factory.mktemp("state"), port, **secret),
        )
        try:
            eventually(lambda: answers(f"http://127.0.0.1:{port}/health"), within_s=30)
            yield Running(f"http://127.0.0.1:{port}", prefect)
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture
def running(endpoint: Running) -> Running:
    """Forget what earlier tests did."""
    endpoint.prefect.runs.clear()
    endpoint.prefect.status = 200
    return endpoint


def webhook(*alerts: dict[str, Any], **more: Any) -> bytes:
    """Write what Alertmanager sends."""
    return json.dumps({"version": "4", "groupKey": "{}:{service=x}", "alerts": alerts, **more}).encode()


def alert(name: str = "OrderServiceDown", starts_at: str = "2026-11-23T15:00:00Z", **labels: str) -> dict[str, Any]:
    """One firing alert."""
    return {
        "status": "firing",
        "labels": {"alertname": name, "service": "order-service", "incident_type": "health_check_failed", **labels},
        "annotations": {"summary": f"{name} fires"},
        "startsAt": starts_at,
        "fingerprint": f"{name}-fingerprint",
    }


def test_an_alert_starts_one_triage_with_itself_in_it(running: Running) -> None:
    """The run knows which alert fired, and since when, before it looks."""
    status, answer = running.post(webhook(alert()))
    (run,) = running.prefect.runs.values()

    assert (status, answer["flow_run_id"]) == (202, run["id"])
    assert answer["flow_run_ids"] == {"order-service": run["id"]}
    assert run["parameters"]["service"] == "order-service"
    assert run["parameters"]["alert"] == "health_check_failed"
    assert run["parameters"]["payload"]["alerts"][0]["startsAt"] == "2026-11-23T15:00:00Z"
    assert running.prefect.authorizations[-1] == "Bearer key"


def test_the_same_alerts_start_one_triage_however_often_they_are_sent(running: Running) -> None:
    """Alertmanager repeats itself, and a pair of them says everything twice."""
    for _ in range(5):
        assert running.post(webhook(alert("A"), alert("B")))[0] == 202
        assert running.post(webhook(alert("B"), alert("A"), truncatedAlerts=0))[0] == 202

    assert len(running.prefect.runs) == 1


@pytest.mark.parametrize(
    "later",
    [
        webhook(alert("A"), alert("B")),
        webhook(alert("A", "2026-11-23T15:10:00Z")),
        webhook(alert("A"), groupKey="another group"),
    ],
    ids=["another alert joins", "it fires again", "another group"],
)
def test_what_fires_anew_starts_a_triage_of_its_own(running: Running, later: bytes) -> None:
    """A second outage must not hide behind the first."""
    running.post(webhook(alert("A")))
    running.post(later)

    assert len(running.prefect.runs) == 2


def test_a_group_that_is_resolved_starts_nothing(running: Running) -> None:
    """What is over is for the next minute's look."""
    assert running.post(webhook({**alert(), "status": "resolved"})) == (200, {"flow_run_id": None})
    assert running.prefect.runs == {}


@pytest.mark.parametrize("labels", [{"incident_type": "no such type"}, {"incident_type": ""}])
def test_an_alert_of_another_kind_starts_a_triage_all_the_same(running: Running, labels: dict[str, str]) -> None:
    """A desk's own rules need not know our words; the payload says the rest."""
    running.post(webhook(alert(**labels)))
    (run,) = running.prefect.runs.values()

    assert run["parameters"].get("alert") is None


def test_an_alert_about_nobody_that_is_watched_is_refused_by_name(running: Running) -> None:
    """A wrong label is corrected by who reads the log, and sent again it would be as wrong."""
    status, answer = running.post(webhook(alert(service="nosuch")))

    assert status == 422
    assert answer["error"]["code"] == "UNKNOWN_SERVICE"
    assert "nosuch" in answer["error"]["detail"]
    assert running.prefect.runs == {}


@pytest.mark.parametrize("token", [None, "", "wrong", f"{TOKEN}x", "näher"])
def test_without_the_token_nothing_is_taken(running: Running, token: str | None) -> None:
    """Whoever can start triages can keep the worker busy."""
    before = running.metric('runbook_alerts_total{result="refused"}')
    status, answer = running.post(webhook(alert()), token)

    assert (status, answer["error"]["code"]) == (401, "ALERTS_UNAUTHORIZED")
    assert running.prefect.runs == {}
    assert running.metric('runbook_alerts_total{result="refused"}') == before + 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"alerts": {}}', b"\xff\xfe", b'{"alerts": [NaN]}', b"[" * 100_000, b"null"],
)
def test_what_is_no_webhook_is_refused_in_words(running: Running, body: bytes) -> None:
    """Sent again it would be as bad, so Alertmanager must not."""
    status, answer = running.post(body)

    assert (status, answer["error"]["code"]) == (422, "BAD_ARGUMENT")
    assert running.prefect.runs == {}


def test_a_webhook_that_is_too_large_is_refused(running: Running) -> None:
    """Prefect would refuse the parameters anyhow; `max_alerts` bounds what is sent."""
    body = webhook(*(alert(f"A{number}") for number in range(2000)))

    assert len(body) > BODY_LIMIT_BYTES
    assert running.post(body)[0] == 413


def test_fifty_alerts_fit(running: Running) -> None:
    """What `max_alerts` lets through is taken."""
    wordy = {"description": "x" * 2000}
    assert running.post(webhook(*({**alert(f"A{number}"), "annotations": wordy} for number in range(50))))[0] == 202


def test_where_prefect_is_in_trouble_alertmanager_is_asked_to_come_back(running: Running) -> None:
    """The alert that fired while the server restarted starts its triage a little later."""
    running.prefect.status = 503
    status, answer = running.post(webhook(alert()))
    assert (status, answer["error"]["code"]) == (503, "PREFECT_UNREACHABLE")
    running.prefect.status = 200

    assert running.post(webhook(alert()))[0] == 202
    assert len(running.prefect.runs) == 1


def test_a_caller_that_hangs_up_in_the_middle_leaves_the_endpoint_well(running: Running) -> None:
    """A restart of Alertmanager is no fault of ours."""
    host, port = "127.0.0.1", int(running.url.rpartition(":")[2])
    with socket.create_connection((host, port)) as cut:
        head = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n{{"
        cut.sendall(head.encode())

    assert running.post(webhook(alert()))[0] == 202


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Host": "evil.example:8650"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_a_page_of_somebody_else_reads_no_metrics_and_sends_no_alert(
    endpoint: Running, headers: dict[str, str]
) -> None:
    """The metrics tell what trades and what is broken, and an alert starts a triage that acts."""
    for path, body in (("/metrics", None), ("/alerts", webhook(alert())), ("/health", None)):
        given = {**headers, "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(f"{endpoint.url}{path}", body, given)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310
        with refused.value as answer:
            assert answer.code == 403
            assert b"_REFUSED: " in answer.read()


def test_without_a_token_the_receiver_is_closed(tmp_path: Path) -> None:
    """Nobody opens it by forgetting a setting; the metrics are told all the same."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "deployments.monitoring"], env=environment(tmp_path, port))
    try:
        closed = Running(f"http://127.0.0.1:{port}", PrefectApi("nowhere"))
        eventually(lambda: answers(f"{closed.url}/health"), within_s=30)
        status, answer = closed.post(webhook(alert()), token="")

        assert (status, answer["error"]["code"]) == (403, "ALERTS_CLOSED")
        assert closed.metric("runbook_messages_waiting") == 0
    finally:
        process.terminate()
        process.wait(15)


@pytest.mark.parametrize("wrong", [{"RUNBOOK_MONITORING_PORT": "0"}, {"RUNBOOK_SERVICES": "{}"}])
def test_a_wrong_setting_is_one_line(tmp_path: Path, wrong: dict[str, str]) -> None:
    """A service manager's log shows what to correct."""
    done = subprocess.run(
        [sys.executable, "-m", "deployments.monitoring"],
        env={**environment(tmp_path, free_port()), **wrong},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"PREFECT_API_KEY": "k"}, {"Authorization": "Bearer k"}),
        ({"PREFECT_API_AUTH_STRING": "admin:pass"}, {"Authorization": "Basic YWRtaW46cGFzcw=="}),
    ],
)
def test_a_server_with_a_lock_is_opened_as_prefects_own_client_opens_it(
    variables: dict[str, str], expected: dict[str, str]
) -> None:
    """A production server is not open to everybody."""
    assert authorization(variables) == expected
