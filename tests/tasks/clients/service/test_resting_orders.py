"""A test order that rests on a book is always canceled, and said where that cannot be proven."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.service import left_orders
from tasks.clients.service.http import http_client
from tasks.clients.service.synthetic_orders import order_probe
from tasks.model.probes.left_orders import LeftOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, OrderProbe
from tasks.settings import ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.service.scripted import Asked, replied, scripted

pytestmark = pytest.mark.live

EQUITY = AssetClass.EQUITY
ORDERS: dict[str, Any] = {
    "path": "/orders",
    "body": '{"clOrdId": "${client_order_id}", "sym": "${symbol}", "qty": ${quantity}}',
    "status": "state",
    "execution": "fill",
    "accepted": ["WORKING"],
    "order_id": "id",
    "poll": {"path": "/orders/${order_id}", "every_s": 0.02, "until_s": 0.3},
    "cancel": {"path": "/orders/${order_id}", "done_when": "state == 'CANCELLED'"},
    "steps": "rest_and_cancel",
}


class Venue:
    """A service that takes orders and cancels them, each answer as a test wants it."""

    def __init__(self, **answers: Callable[[dict[str, Any]], bytes]) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, asked: Asked) -> bytes:
        self.asked.append(asked.method)
        if asked.method == "POST":
            order = {"id": f"O{len(self.orders) + 1}", "clOrdId": asked.fields["clOrdId"], "state": "WORKING"}
            self.orders[order["id"]] = order
            return self.answers.get("post", shown)(order)
        found = self.orders.get(asked.path.rsplit("/", 1)[-1])
        if found is None:
            return replied(404)
        if asked.method == "DELETE":
            return self.answers.get("delete", canceled)(found)
        return self.answers.get("get", shown)(found)

    @property
    def resting(self) -> list[str]:
        """The orders on its book."""
        return [one["id"] for one in self.orders.values() if one["state"] == "WORKING"]


def shown(order: dict[str, Any]) -> bytes:
    return replied(200, order)


def canceled(order: dict[str, Any]) -> bytes:
    order["state"] = "CANCELLED"
    return replied(200, order)


def becomes(**fields: Any) -> Callable[[dict[str, Any]], bytes]:
    """Answer as if something else had happened to the order."""
    return lambda order: replied(200, order | fields)


def fills(order: dict[str, Any]) -> bytes:
    order |= {"state": "FILLED", "fill": {"lastQty": 1}}
    return replied(200, order)


@pytest.fixture(autouse=True)
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("RUNBOOK_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def settings(url: str, **orders: Any) -> ServiceSettings:
    """A service that is described so."""
    look = {"health_timeout_s": 5, "order_timeout_s": 5, "connect_timeout_s": 5}
    table = {"base_url": url, "look": look, "orders": ORDERS | orders}
    return ServiceSettings.model_validate({**table, "synthetic_orders": {"equity": {"symbol": "ZVZZT"}}})


async def sent(url: str, **orders: Any) -> OrderProbe:
    """One test order."""
    service = settings(url, **orders)
    async with http_client(service.http, 5) as client:
        return await order_probe(client, service, EQUITY)


def kept(folder: Path) -> list[Path]:
    """What is written down as left."""
    return sorted((folder / "test_orders").glob("*.json"))


async def test_an_order_is_seen_resting_and_is_canceled(tmp_path: Path) -> None:
    """The path of a venue where no test order ever fills."""
    venue = Venue()
    async with scripted(venue) as (url, _):
        probe = await sent(url)

    assert (probe.outcome, probe.ord_status, probe.left) == (OrderOutcome.EXECUTED, "canceled", "")
    assert (venue.asked, venue.resting, kept(tmp_path)) == (["POST", "DELETE"], [], [])


async def test_a_cancel_that_takes_a_while_is_waited_for() -> None:
    """A cancel is a request; what the venue says afterwards proves it."""

    def pending(order: dict[str, Any]) -> bytes:
        order["state"] = "CANCELLED"
        return replied(202, {"state": "PENDING_CANCEL"})

    async with scripted(Venue(delete=pending)) as (url, _):
        assert (await sent(url)).outcome is OrderOutcome.EXECUTED


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: replied(500),
        lambda _: replied(404),
        lambda _: b"",
        lambda _: replied(204),
        becomes(state="PENDING_CANCEL"),
        becomes(state="REJECTED"),
        becomes(state="CANCELLED", clOrdId="another"),
    ],
)
async def test_a_cancel_that_is_not_proven_is_said_and_no_other_order_is_sent(
    answer: Callable[[dict[str, Any]], bytes], tmp_path: Path
) -> None:
    """An order of ours is left on a book: a person has to know, and the next minute must not add another."""
    venue = Venue(delete=answer)
    async with scripted(venue) as (url, _):
        first = await sent(url)
        second = await sent(url)
        venue.answers = {}
        third = await sent(url)

    assert first.outcome is OrderOutcome.UNKNOWN
    assert first.client_order_id in first.left
    assert str(tmp_path) in first.left
    assert "may rest at the venue" in first.detail
    assert not second.outcome.delivered
    assert first.client_order_id in second.left
    assert (third.outcome, third.left) == (OrderOutcome.EXECUTED, "")
    assert (venue.asked.count("POST"), venue.resting, kept(tmp_path)) == (2, [], [])


@pytest.mark.parametrize("when", ["post", "delete"])
async def test_an_order_that_filled_instead_is_a_position_and_no_other_is_opened(when: str, tmp_path: Path) -> None:
    """The price was not far enough from the market: a person closes it, and the next minute must not add another."""
    venue = Venue(**{when: fills})
    async with scripted(venue) as (url, _):
        first = await sent(url)
        second = await sent(url)
        kept(tmp_path)[0].unlink()
        venue.answers = {}
        third = await sent(url)

    assert first.left.startswith(f"TEST ORDER {first.client_order_id} of ")
    assert "was filled, though it was to rest: its position is open; close it, " in first.left
    assert (second.outcome, second.left) == (OrderOutcome.BLIND, first.left)
    assert second.detail == f"no test order was sent: {first.left}"
    assert (third.outcome, third.left, venue.asked.count("POST")) == (OrderOutcome.EXECUTED, "", 2)


async def test_an_order_that_no_check_can_cancel_is_reported_once_with_what_to_do() -> None:
    """The service took it and gave no id to cancel it by: nothing is left to remove, and no path is named."""
    venue = Venue(post=lambda _: replied(500))
    async with scripted(venue) as (url, _):
        probe = await sent(url)

    assert probe.left.endswith("; cancel it there")
    assert not probe.left_is_kept


async def test_a_poll_that_fails_leaves_no_order(tmp_path: Path) -> None:
    """What was taken and is not seen again is canceled all the same."""
    venue = Venue(post=becomes(state="NEW?"), get=lambda _: replied(500))
    async with scripted(venue) as (url, _):
        probe = await sent(url)

    assert probe.outcome is OrderOutcome.UNKNOWN
    assert (venue.resting, kept(tmp_path), probe.left) == ([], [], "")


async def test_a_rejected_order_needs_no_cancel(tmp_path: Path) -> None:
    """Nothing rests."""
    venue = Venue(post=becomes(state="REJECTED"))
    async with scripted(venue) as (url, _):
        assert (await sent(url)).outcome is OrderOutcome.REJECTED

    assert (venue.asked, kept(tmp_path)) == (["POST"], [])


@pytest.mark.parametrize("steps", ["fill", "rest_and_cancel"])
async def test_a_check_that_is_canceled_cancels_its_order(steps: str, tmp_path: Path) -> None:
    """A run that is stopped, or out of time, ends in the middle."""
    venue = Venue(post=becomes(state="HELD"), get=becomes(state="HELD"))
    async with scripted(venue) as (url, _):
        running = asyncio.create_task(sent(url, steps=steps, poll={**ORDERS["poll"], "until_s": 10}))
        while venue.asked.count("GET") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert (venue.resting, kept(tmp_path)) == ([], [])


async def test_an_order_of_a_killed_check_is_canceled_by_the_next(tmp_path: Path) -> None:
    """Nothing runs on the way out of a kill; what was written down before the order was sent is what is left."""
    venue = Venue()
    async with scripted(venue) as (url, _):
        venue.orders["O1"] = {"id": "O1", "clOrdId": "synthetic-killed", "state": "WORKING"}
        left = LeftOrder(
            client_order_id="synthetic-killed", asset_class=EQUITY, symbol="ZVZZT", service_url=url,
            sent_at=datetime.now(UTC) - timedelta(hours=1), order_id="O1", was_taken=True,
        )  # fmt: skip
        left_orders.keep(left)
        probe = await sent(url)

    assert probe.outcome is OrderOutcome.EXECUTED
    assert (venue.asked, venue.resting, kept(tmp_path)) == (["DELETE", "POST", "DELETE"], [], [])


async def test_an_order_that_another_process_is_at_work_on_is_left_to_it(tmp_path: Path) -> None:
    """Two checks at once must not cancel each other's order."""
    venue = Venue()
    async with scripted(venue) as (url, _):
        left = LeftOrder(
            client_order_id="synthetic-b", asset_class=EQUITY, symbol="Z", service_url=url, sent_at=datetime.now(UTC)
        )
        left_orders.keep(left)
        await sent(url)

    assert venue.asked == ["POST", "DELETE"]
    assert len(kept(tmp_path)) == 1


async def test_an_order_that_was_never_taken_and_is_not_known_does_not_rest(tmp_path: Path) -> None:
    """After a hang the service has never heard of it; nobody has to look for it at the venue."""
    venue = Venue(post=lambda _: b"", get=lambda _: replied(404), delete=lambda _: replied(404))
    async with scripted(venue) as (url, _):
        probe = await sent(url, cancel={"path": "/by-ours/${client_order_id}", "done_when": "state == 'CANCELLED'"})

    assert not probe.outcome.delivered
    assert (probe.left, kept(tmp_path)) == ("", [])


KILLED = """
import asyncio, sys
from tests.tasks.clients.service.test_resting_orders import ORDERS, sent
asyncio.run(sent(sys.argv[1], poll={**ORDERS["poll"], "until_s": 10}))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_a_process_that_is_ended_while_its_order_rests_leaves_none_for_long(
    number: signal.Signals, tmp_path: Path
) -> None:
    """By Ctrl-C it cancels on the way out; after a kill the next check does."""
    venue = Venue(post=becomes(state="HELD"), get=becomes(state="HELD"))
    async with scripted(venue) as (url, _):
        environment = {**os.environ, "RUNBOOK_STATE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, env=environment)
        await asyncio.to_thread(eventually, lambda: venue.asked.count("GET") > 2, within_s=60)
        process.send_signal(number)
        await asyncio.wait_for(process.wait(), 10)
        if number is signal.SIGKILL:
            (path,) = kept(tmp_path)
            order = LeftOrder.model_validate_json(path.read_bytes())
            left_orders.keep(order.model_copy(update={"sent_at": datetime.now(UTC) - timedelta(minutes=5)}))
            venue.answers = {}
            await sent(url)

    assert (venue.resting, kept(tmp_path)) == ([], [])
