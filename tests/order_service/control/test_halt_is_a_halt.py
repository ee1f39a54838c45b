"""A change that was answered as in force holds for every order that has not left yet, whatever it waits for."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_service.journal.rows import JournaledOrder
from order_service.orders.order import NewOrder
from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway

LIMIT = {"order_type": "limit", "limit_price": "500"}
Change = Callable[[Desk], Awaitable[httpx.Response]]


class SlowDisk:
    """Let the journal answer only when it is told to."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_waiting = asyncio.Event()
        self.goes_on = asyncio.Event()
        self._begin = desk.service.journal.begin
        monkeypatch.setattr(desk.service.journal, "begin", self.begin)

    async def begin(self, row: JournaledOrder) -> JournaledOrder | None:
        """Write the order down as ever, and say so late."""
        held = await self._begin(row)
        self.is_waiting.set()
        await self.goes_on.wait()
        return held


async def _table(desk: Desk, old: str, new: str) -> httpx.Response:
    path = desk.service.settings.routing_path
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return await desk.post_control("reload")


CHANGES: dict[str, tuple[Change, dict[str, Any], str]] = {
    "class halted": (lambda desk: desk.set("trading/equity", state="halted"), {}, "TRADING_HALTED"),
    "class reducing": (lambda desk: desk.set("trading/equity", state="reducing"), {}, "TRADING_REDUCING"),
    "strategy halted": (lambda desk: desk.set("strategies/momentum", state="halted"), {}, "TRADING_HALTED"),
    "gateway disabled": (lambda desk: desk.set("gateways/XNAS", state="disabled"), {}, "GATEWAY_DISABLED"),
    "route moved": (lambda desk: desk.set("routes/equity", gateway="XNYS"), {}, "ROUTE_CHANGED"),
    "cap lowered": (
        lambda desk: _table(desk, 'max_quantity = "1000000"', 'max_quantity = "15"'),
        {"quantity": "20"},
        "QUANTITY_CAP_EXCEEDED",
    ),
    "band switched on": (lambda desk: desk.set("features/limit_price_band", enabled=True), LIMIT, "PRICE_OUTSIDE_BAND"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_an_order_that_waits_for_the_journal_does_not_leave_after_a_change_was_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The trader who reads "halted" must not find a fill of a moment later."""
    change, changes, code = CHANGES[name]
    await desk.send(order())
    await desk.set("features/limit_price_band", enabled=False)
    disk = SlowDisk(desk, monkeypatch)
    body = order(**changes)
    sending = asyncio.create_task(desk.send(body))
    await disk.is_waiting.wait()

    answered = await change(desk)
    disk.goes_on.set()
    answer = await sending

    assert answered.status_code == 200
    assert (answer.json()["status"], answer.json()["error"]["code"]) == ("denied", code)
    assert body["client_order_id"] not in desk.gateway.posts
    assert (await desk.http.get(f"/orders/{body['client_order_id']}")).json()["status"] == "denied"
    assert desk.service.positions.reduces(_selling("10")), "what the denied order held is free again"


@pytest.fixture
async def busy(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[Desk]:
    """A service whose gateway takes one connection at a time, and is slow."""
    lay_out(tmp_path / "s", gateway.base_url, total_timeout_s=5)
    table = tmp_path / "s" / "routing.toml"
    text = table.read_text().replace("connect_timeout_s = 0.2", "connect_timeout_s = 4")
    table.write_text(text.replace("[gateways.XNAS]\n", "[gateways.XNAS]\nmax_connections = 1\n"))
    gateway.mode = "slow"
    async with desk_at(tmp_path / "s", gateway) as running:
        yield running


async def test_an_order_that_waits_for_a_connection_does_not_leave_after_a_halt_was_answered(busy: Desk) -> None:
    """A slow gateway is when a desk halts; the orders that queue for it are the ones that it means."""
    first, second = order(), order()
    sent = asyncio.create_task(busy.send(first))
    await eventually(lambda: busy.gateway.posts)
    waiting = asyncio.create_task(busy.send(second))
    await eventually(lambda: busy.service.gateways["XNAS"]._out_count == 2)

    halted = await busy.set("trading/equity", state="halted")
    busy.gateway.release.set()
    answers = [await sent, await waiting]

    assert halted.status_code == 200
    assert [answer.json()["status"] for answer in answers] == ["filled", "denied"]
    assert answers[1].json()["error"]["code"] == "TRADING_HALTED"
    assert busy.gateway.posts == [first["client_order_id"]]


async def test_an_order_that_reduces_leaves_while_its_class_is_reducing(desk: Desk) -> None:
    """Asked twice, an order must not stand in its own way: its own quantity is no other order's."""
    await desk.send(order())
    await desk.set("trading/equity", state="reducing")

    answer = await desk.send(order(side="sell"))

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")


class Interleaving:
    """Orders, their journal and a person's hand, one step at a time in any order."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.left: list[str] = []
        self.forbidden: set[str] = set()
        self.sending: list[asyncio.Task[httpx.Response]] = []
        self._gates: list[asyncio.Event] = []
        self._begin = desk.service.journal.begin
        desk.service.journal.begin = self._gated  # type: ignore[method-assign]
        client = desk.service.gateways["XNAS"]
        self._may_leave, client._recheck = client._recheck, self._leaves

    async def step(self, name: str) -> None:
        """Take one step; what sets something is over when it is answered."""
        match name:
            case "send":
                self.sending.append(asyncio.create_task(self.desk.send(order())))
            case "disk" if self._gates:
                self._gates.pop(0).set()
            case "halted" | "active":
                await self._set("class", "trading/equity", name)
            case "disabled" | "enabled":
                await self._set("gateway", "gateways/XNAS", name)
        await asyncio.sleep(0)

    async def end(self) -> None:
        """Let everything come to its end."""
        while not all(task.done() for task in self.sending):
            await self.step("disk")

    async def _set(self, what: str, path: str, state: str) -> None:
        if state in {"active", "enabled"}:
            self.forbidden.discard(what)
        await self.desk.set(path, state=state)
        if state in {"halted", "disabled"}:
            self.forbidden.add(what)

    def _leaves(self, asked: Any, gateway: str) -> None:
        self._may_leave(asked, gateway)
        self.left.extend(f"{asked.client_order_id} left: {what}" for what in self.forbidden)

    async def _gated(self, row: JournaledOrder) -> JournaledOrder | None:
        held = await self._begin(row)
        self._gates.append(gate := asyncio.Event())
        await gate.wait()
        return held


STEPS = st.sampled_from(["send", "disk", "turn", "halted", "active", "disabled", "enabled"])


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, min_size=4, max_size=40))
async def test_nothing_leaves_between_the_answer_to_a_halt_and_the_request_that_ends_it(steps: list[str]) -> None:
    """In whatever order journal, connection and a person's hand come, "halted" is the truth while it stands."""
    with tempfile.TemporaryDirectory() as folder:
        async with FakeGateway() as gateway, desk_at(Path(folder) / "state", gateway) as desk:
            story = Interleaving(desk)
            for step in steps:
                await story.step(step)
            await story.end()

    assert story.left == []


def _selling(quantity: str) -> NewOrder:
    return NewOrder.model_validate(order(side="sell", quantity=quantity))
