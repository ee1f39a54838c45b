"""Fault drills, injected from outside into the real stack: the check names the cause, and the controls name none."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tasks.model.diagnosis.diagnosis import Confidence
from tests.fakes.drills.game_day import GameDay
from tests.fakes.polling import eventually
from tests.fakes.process.port_taker import squatting_process
from tests.fakes.stack.local_stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]


@pytest.fixture
def day(stack: Stack) -> Iterator[GameDay]:
    """A healthy stack whose automation only looks, so that a drill's fault stays until the drill ends it."""
    one = GameDay(stack.state_dir, stack=stack)
    try:
        one.begin()
        assert stack.run("mode", "observe").returncode == 0
        yield one
        one.heal()
    finally:
        one.leave_alone(alone=False)


def check(day: GameDay) -> dict[str, Any]:
    """Look and name the cause, as monitoring would."""
    answer: dict[str, Any] = json.loads(day.stack.run("check", "--json").stdout)
    return answer


def test_row_1_a_stopped_service_is_hung(day: GameDay) -> None:
    """An open port is not life."""
    with day.stopped(day.pid()):
        found = check(day)

    assert [one["cause"] for one in found["causes"]] == ["service_hung"]
    assert found["causes"][0]["confidence"] == "confirmed"


def test_row_2_a_killed_service_is_down(day: GameDay) -> None:
    """Nothing is left to hang."""
    day.kill(day.pid())

    assert day.causes() == ["service_down"]


def test_row_7_an_event_loop_blocked_once_is_no_incident(day: GameDay) -> None:
    """The second check clears it."""
    with day.stopped(day.pid()):
        checking = day.stack.start("check", "--json")
        time.sleep(2)
    output, _ = checking.communicate(timeout=60)

    assert json.loads(output)["status"] == "ok"


def test_row_10_a_gateway_that_refuses_is_unreachable_for_its_class_alone(day: GameDay) -> None:
    """The desk hears of equity and of nothing else."""
    with day.fault("XNAS", fault="refuse"):
        (cause,) = check(day)["causes"]

    assert cause["cause"] == "dependency_unreachable"
    assert cause["gateways"] == ["XNAS"]
    assert cause["asset_classes"] == ["equity"]
    assert cause["tier"] == "tier_3"


def test_row_11_a_gateway_that_never_answers_a_connect_is_unreachable(day: GameDay) -> None:
    """The service is not blamed for waiting."""
    with day.fault("XCME", fault="unreachable"):
        (cause,) = check(day)["causes"]

    assert cause["cause"] == "dependency_unreachable"
    assert cause["gateways"] == ["XCME"]


def test_row_12_a_stopped_gateway_is_not_the_services_fault(day: GameDay) -> None:
    """Orders in it are unknown; the service is not restarted for them."""
    with day.stopped(day.gateway_pid("FXALL")):
        found = day.causes()

    assert found
    assert set(found) <= {"gateway_failing", "dependency_unreachable"}


def test_row_13_a_slow_gateway_is_failing_by_latency(day: GameDay) -> None:
    """Three seconds are an outage for a strategy, and no reason to restart anything."""
    with day.fault("CRYP", fault="latency", latency_ms=3000):
        found = check(day)

    assert {one["cause"] for one in found["causes"]} <= {"gateway_failing", "dependency_unreachable"}
    assert [one["gateways"] for one in found["causes"]] == [["CRYP"]]


def test_row_15_a_gateway_that_rejects_everything_is_failing_by_rejects(day: GameDay) -> None:
    """The venue's code and text are in the reason."""
    with day.fault("XNAS", fault="reject", code="PRICE_BAND", text="outside of the band"):
        (cause,) = check(day)["causes"]

    assert cause["cause"] == "gateway_failing"
    assert "PRICE_BAND" in cause["because"]


def test_row_16_a_gateway_that_acknowledges_and_never_fills_is_failing(day: GameDay) -> None:
    """Acknowledged is neither filled nor dead."""
    with day.fault("XNAS", fault="ack_without_fill"):
        (cause,) = check(day)["causes"]

    assert cause["cause"] == "gateway_failing"


def test_row_18_an_asset_class_without_a_route_is_misconfigured(day: GameDay) -> None:
    """There is no default route, and a restart would not make one."""
    table = day.state_dir / "order-service" / "routing.toml"
    good = table.read_text("utf-8")
    head, rest = good.split("[routes.crypto]", 1)
    others = rest.split("\n[", 1)
    table.write_text(head + (f"[{others[1]}" if len(others) > 1 else ""), "utf-8")
    day.reload()
    try:
        eventually(lambda: "routing_misconfigured" in day.causes(), within_s=30, every_s=0.5)
    finally:
        table.write_text(good, "utf-8")
        day.reload()


def test_row_19_a_corrupted_table_on_disk_is_latent(day: GameDay) -> None:
    """The service still runs on the old table: restarting it would make the fault real."""
    table = day.state_dir / "order-service" / "routing.toml"
    good = table.read_text("utf-8")
    table.write_text("[routes\n", "utf-8")
    try:
        (cause,) = check(day)["causes"]
    finally:
        table.write_text(good, "utf-8")

    assert cause["cause"] == "routing_misconfigured"
    assert cause["tier"] == "tier_2"


def test_row_25_exhausted_descriptors_are_the_services_own(day: GameDay) -> None:
    """The gateway is not blamed for a socket that we could not open."""
    process = psutil.Process(day.pid())
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), before[1]))
    try:
        found = day.causes()
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)

    assert "resource_exhausted" in found
    assert "gateway_failing" not in found


def test_row_26_a_port_taken_by_a_stranger_is_infrastructure(day: GameDay) -> None:
    """Its owner is named and left alone."""
    day.kill(day.pid())
    with squatting_process(day.settings.port) as stranger:
        found = check(day)

    assert [one["cause"] for one in found["causes"]] == ["infrastructure"]
    assert f"pid={stranger}" in json.dumps(found["causes"])


def test_row_29_a_hung_service_and_a_dead_gateway_are_two_causes_in_order(day: GameDay) -> None:
    """Restart once, then degrade."""
    with day.fault("XNAS", fault="refuse"), day.stopped(day.pid()):
        (first, second) = day.diagnosis().findings

    assert (first.cause, second.cause) == ("service_hung", "dependency_unreachable")
    assert first.confidence is second.confidence is Confidence.CONFIRMED


def test_control_latency_within_bounds_is_no_finding(day: GameDay) -> None:
    """A tenth of a second at a venue is a normal morning."""
    with day.fault("XNAS", fault="latency", latency_ms=100):
        assert check(day)["status"] == "ok"


def test_control_a_venue_that_says_closed_is_no_finding_when_its_market_is_closed(day: GameDay) -> None:
    """At the weekend the reject proves that the order got there; in the session it is the venue's fault."""
    market = json.loads(day.stack.run("inspect", "market", "--asset-class", "equity", "--json").stdout)
    with day.fault("XNAS", fault="reject", code="MARKET_CLOSED", text="closed"):
        status = check(day)["status"]

    assert (status == "ok") is (not market["open"])
