"""Fault drills, injected from outside into the real stack: the check names the cause, and the controls name none."""

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.fakes.local_stack import Stack
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
NAME = "order-service"


@pytest.fixture
def patient(stack: Stack) -> Iterator[Stack]:
    """A healthy stack whose automation only looks, so that a drill's fault stays until the drill ends it."""
    assert stack.run("mode", "observe").returncode == 0
    assert stack.run("up", "--detach").returncode == 0
    eventually(lambda: check(stack)["status"] == "ok", within_s=60, every_s=0.5)
    yield stack
    assert stack.run("up", "--detach").returncode == 0
    eventually(lambda: check(stack)["status"] == "ok", within_s=60, every_s=0.5)
    assert stack.run("mode", "act").returncode == 0


def check(stack: Stack) -> dict[str, Any]:
    """Look and name the cause, as monitoring would."""
    answer: dict[str, Any] = json.loads(stack.run("check", "--json").stdout)
    return answer


def causes(stack: Stack) -> list[str]:
    """The causes that the check names."""
    return [one["cause"] for one in check(stack)["causes"]]


def put(url: str, body: dict[str, Any], token: str = "") -> None:
    """Set a switch over HTTP."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.status == 200


def admin_url(stack: Stack, gateway: str) -> str:
    """Where a gateway's fault switch is."""
    settings = (stack.state_dir / "runbook.toml").read_text("utf-8")
    section = settings.split(f"[services.order-service.gateways.{gateway}]", 1)[1]
    return section.split('admin_url = "', 1)[1].split('"', 1)[0]


@contextmanager
def fault(stack: Stack, gateway: str, **switch: Any) -> Iterator[None]:
    """Break a gateway for as long as the drill takes."""
    put(f"{admin_url(stack, gateway)}/faults", switch)
    try:
        yield
    finally:
        put(f"{admin_url(stack, gateway)}/faults", {"fault": "none"})


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process for as long as the drill takes."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def service(stack: Stack) -> dict[str, Any]:
    """The order service as the status tells it."""
    found: dict[str, Any] = stack.status()["services"][NAME]
    return found


def test_row_1_a_stopped_service_is_hung(patient: Stack) -> None:
    """An open port is not life."""
    with stopped(service(patient)["pid"]):
        found = check(patient)

    assert [one["cause"] for one in found["causes"]] == ["service_hung"]
    assert found["causes"][0]["confidence"] == "confirmed"


def test_row_2_a_killed_service_is_down(patient: Stack) -> None:
    """Nothing is left to hang."""
    os.kill(service(patient)["pid"], signal.SIGKILL)
    eventually(lambda: service(patient)["health"] is None, within_s=10)

    assert causes(patient) == ["service_down"]


def test_row_7_an_event_loop_blocked_once_is_no_incident(patient: Stack) -> None:
    """The second look clears it."""
    pid = service(patient)["pid"]
    os.kill(pid, signal.SIGSTOP)
    checking = patient.start("check", "--json")
    time.sleep(2)
    os.kill(pid, signal.SIGCONT)
    output, _ = checking.communicate(timeout=60)

    assert json.loads(output)["status"] == "ok"


def test_row_10_a_gateway_that_refuses_is_unreachable_for_its_class_alone(patient: Stack) -> None:
    """The desk hears of equity and of nothing else."""
    with fault(patient, "XNAS", fault="refuse"):
        (cause,) = check(patient)["causes"]

    assert cause["cause"] == "dependency_unreachable"
    assert cause["gateways"] == ["XNAS"]
    assert cause["asset_classes"] == ["equity"]
    assert cause["tier"] == "tier_3"


def test_row_11_a_gateway_that_never_answers_a_connect_is_unreachable(patient: Stack) -> None:
    """The service is not blamed for waiting."""
    with fault(patient, "XCME", fault="unreachable"):
        found = check(patient)

    assert [one["cause"] for one in found["causes"]] == ["dependency_unreachable"]
    assert found["causes"][0]["gateways"] == ["XCME"]


def test_row_12_a_stopped_gateway_is_not_the_services_fault(patient: Stack) -> None:
    """Orders in it are unknown; the service is not restarted for them."""
    with stopped(patient.status()["gateways"]["FXALL"]["pid"]):
        found = causes(patient)

    assert found
    assert set(found) <= {"gateway_failing", "dependency_unreachable"}


def test_row_13_a_slow_gateway_is_failing_by_latency(patient: Stack) -> None:
    """Three seconds are an outage for a strategy, and no reason to restart anything."""
    with fault(patient, "CRYP", fault="latency", latency_ms=3000):
        found = check(patient)

    assert {one["cause"] for one in found["causes"]} <= {"gateway_failing", "dependency_unreachable"}
    assert [one["gateways"] for one in found["causes"]] == [["CRYP"]]


def test_row_15_a_gateway_that_rejects_everything_is_failing_by_rejects(patient: Stack) -> None:
    """The venue's code and text are in the reason."""
    with fault(patient, "XNAS", fault="reject", code="PRICE_BAND", text="outside of the band"):
        (cause,) = check(patient)["causes"]

    assert cause["cause"] == "gateway_failing"
    assert "PRICE_BAND" in cause["because"]


def test_row_16_a_gateway_that_acknowledges_and_never_fills_is_failing(patient: Stack) -> None:
    """Acknowledged is neither filled nor dead."""
    with fault(patient, "XNAS", fault="ack_without_fill"):
        (cause,) = check(patient)["causes"]

    assert cause["cause"] == "gateway_failing"


def test_row_18_an_asset_class_without_a_route_is_misconfigured(patient: Stack) -> None:
    """There is no default route, and a restart would not make one."""
    table = patient.state_dir / "order-service" / "routing.toml"
    good = table.read_text("utf-8")
    assert "[routes.crypto]" in good
    cut = good.split("[routes.crypto]", 1)
    rest = cut[1].split("\n[", 1)
    table.write_text(cut[0] + ("[" + rest[1] if len(rest) > 1 else ""), "utf-8")
    os.kill(service(patient)["pid"], signal.SIGHUP)
    try:
        eventually(lambda: "routing_misconfigured" in causes(patient), within_s=30, every_s=0.5)
    finally:
        table.write_text(good, "utf-8")
        os.kill(service(patient)["pid"], signal.SIGHUP)


def test_row_19_a_corrupted_table_on_disk_is_latent(patient: Stack) -> None:
    """The service still runs on the old table: restarting it would make the fault real."""
    table = patient.state_dir / "order-service" / "routing.toml"
    good = table.read_text("utf-8")
    table.write_text("[routes\n", "utf-8")
    try:
        (cause,) = check(patient)["causes"]
    finally:
        table.write_text(good, "utf-8")

    assert cause["cause"] == "routing_misconfigured"
    assert cause["tier"] == "tier_2"


def test_row_25_exhausted_descriptors_are_the_services_own(patient: Stack) -> None:
    """The gateway is not blamed for a socket that we could not open."""
    process = psutil.Process(service(patient)["pid"])
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), before[1]))
    try:
        found = causes(patient)
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)

    assert "resource_exhausted" in found
    assert "gateway_failing" not in found


def test_row_26_a_port_taken_by_a_stranger_is_infrastructure(patient: Stack) -> None:
    """Its owner is named and left alone."""
    base_url = service(patient)["base_url"]
    os.kill(service(patient)["pid"], signal.SIGKILL)
    eventually(lambda: service(patient)["health"] is None, within_s=10)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(base_url.rsplit(":", 1)[1])))
        squatter.listen()
        found = check(patient)

    assert "infrastructure" in [one["cause"] for one in found["causes"]]
    assert str(os.getpid()) in json.dumps(found["causes"])


def test_row_29_a_hung_service_and_a_dead_gateway_are_two_causes_in_order(patient: Stack) -> None:
    """Restart once, then degrade."""
    with fault(patient, "XNAS", fault="refuse"), stopped(service(patient)["pid"]):
        found = causes(patient)

    assert found == ["service_hung", "dependency_unreachable"]


def test_control_latency_within_bounds_is_no_finding(patient: Stack) -> None:
    """A tenth of a second at a venue is a normal morning."""
    with fault(patient, "XNAS", fault="latency", latency_ms=100):
        assert check(patient)["status"] == "ok"


def test_control_a_venue_that_says_closed_is_no_finding_when_its_market_is_closed(patient: Stack) -> None:
    """At the weekend the reject proves that the order got there; in the session it is the venue's fault."""
    market = json.loads(patient.run("look", "market", "--asset-class", "equity", "--json").stdout)
    with fault(patient, "XNAS", fault="reject", code="MARKET_CLOSED", text="closed"):
        status = check(patient)["status"]

    assert (status == "ok") is (not market["open"])
