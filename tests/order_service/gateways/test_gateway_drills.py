"""The drills of a sick gateway, from its fault switch or its process to what the service then tells."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway
from tests.order_service.gateway_simulator.gateway_process import Gateway

pytestmark = pytest.mark.live

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other kernels refuse when a backlog is full")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped by a POSIX signal")


@dataclass
class Drill:
    """A service in this process, and the one real gateway behind all its names."""

    desk: Desk
    gateway: Gateway

    async def break_with(self, fault: str, **numbers: Any) -> None:
        """Set the gateway's fault over its admin port."""
        await asyncio.to_thread(self.gateway.break_with, fault, **numbers)

    async def dependency(self) -> dict[str, Any]:
        """The gateway as the service's health tells it."""
        found: dict[str, Any] = (await self.desk.http.get("/health")).json()["dependencies"]["XNAS"]
        return found

    async def dependency_is(self, status: str) -> bool:
        """Say whether the gateway has a status."""
        return bool((await self.dependency())["status"] == status)


@pytest.fixture
async def drill(tmp_path: Path) -> AsyncIterator[Drill]:
    """A healthy service at a healthy gateway, waited for no longer than a test should take."""
    gateway = await asyncio.to_thread(Gateway(tmp_path / "XNAS.jsonl").start)
    lay_out(tmp_path / "state", f"http://127.0.0.1:{gateway.port}", total_timeout_s=1.5)
    try:
        async with desk_at(tmp_path / "state", FakeGateway()) as desk:
            yield Drill(desk, gateway)
    finally:
        gateway.stop(signal.SIGKILL)


async def test_row_10_a_gateway_that_refuses_is_told_and_nothing_is_sent(drill: Drill) -> None:
    """Denied is not unknown: the client may go elsewhere at once."""
    await drill.break_with("refuse")
    answer = await drill.desk.send(order())

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GATEWAY_UNREACHABLE")
    await eventually(lambda: drill.dependency_is("error"))
    await drill.break_with("none")
    await eventually(lambda: drill.dependency_is("ok"))


@on_linux
async def test_row_11_a_gateway_that_never_answers_a_connect_is_told_and_nothing_is_sent(drill: Drill) -> None:
    """A timeout before the connection stands is known to have sent nothing."""
    await drill.break_with("unreachable")
    answer = await drill.desk.send(order())

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GATEWAY_UNREACHABLE")
    await eventually(lambda: drill.dependency_is("error"))


@on_posix
async def test_row_12_orders_in_a_stopped_gateway_are_unknown_until_it_is_asked(drill: Drill) -> None:
    """They are resolved by asking when it goes on, and none is ever sent twice."""
    bodies = [order() for _ in range(3)]
    drill.gateway.process.send_signal(signal.SIGSTOP)
    try:
        answers = await asyncio.gather(*(drill.desk.send(body) for body in bodies))
    finally:
        drill.gateway.process.send_signal(signal.SIGCONT)

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(202, "unknown")] * 3
    await eventually(lambda: _all_proven(drill, bodies), 15)
    booked = await asyncio.to_thread(drill.gateway.booked)
    assert all(one["received_count"] == 1 for one in booked.values())


@on_posix
async def test_row_12_a_killed_gateway_that_is_started_again_tells_what_it_booked(drill: Drill) -> None:
    """Its journal survives it; the service resolves what it sent there and sends nothing again."""
    body = order()
    await drill.break_with("silence")
    answer = await drill.desk.send(body)
    await asyncio.to_thread(drill.gateway.stop, signal.SIGKILL)
    await asyncio.to_thread(drill.gateway.start)

    await eventually(lambda: _all_proven(drill, [body]), 15)
    found = (await drill.desk.http.get(f"/orders/{body['client_order_id']}")).json()
    assert (answer.json()["status"], found["status"]) == ("unknown", "filled")
    assert (await asyncio.to_thread(drill.gateway.booked))[body["client_order_id"]]["received_count"] == 1


async def test_row_13_a_slow_gateway_fills_late_and_is_degraded(drill: Drill) -> None:
    """Late is neither lost nor unknown."""
    await drill.break_with("latency", latency_ms=800)
    answer = await drill.desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")
    assert answer.json()["execution"]["latency_ms"] >= 800
    await eventually(lambda: drill.dependency_is("degraded"))


async def test_row_14_a_flapping_gateway_goes_and_comes_back_by_itself(drill: Drill) -> None:
    """Both turns are in the ledger, from which the instability is read."""
    await drill.break_with("flapping", period_s=0.6)

    await eventually(lambda: _turns(drill) >= {"gateway_unreachable", "gateway_recovered"}, 15)


async def test_row_15_a_rejecting_gateway_gives_its_own_code_and_text(drill: Drill) -> None:
    """Whether it is our configuration is read from the venue's words."""
    await drill.break_with("reject", code="PRICE_BAND", text="outside of the band")

    answer = await drill.desk.send(order())

    assert answer.json()["execution"]["reject"] == {"code": "PRICE_BAND", "text": "outside of the band"}


async def test_row_16_a_gateway_that_only_acknowledges_leaves_orders_open(drill: Drill) -> None:
    """Neither filled nor dead; it stands at the venue until it is canceled."""
    await drill.break_with("ack_without_fill")
    body = order()

    answer = await drill.desk.send(body)
    canceled = await drill.desk.http.delete(f"/orders/{body['client_order_id']}")

    assert (answer.status_code, answer.json()["status"]) == (201, "new")
    assert canceled.json()["status"] == "canceled"


async def _all_proven(drill: Drill, bodies: list[dict[str, Any]]) -> bool:
    found = [(await drill.desk.http.get(f"/orders/{body['client_order_id']}")).json() for body in bodies]
    return {one["status"] for one in found} <= {"filled", "not_received"}


def _turns(drill: Drill) -> set[str]:
    return {str(one["type"]) for one in drill.desk.incidents()}
