"""Asking for the orders that are not proven: over pages, in the order that misses none, and in bounded time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.clients.service.order_states import PAGES_COUNT, order_states, proven_within
from tasks.model.probes.order_states import BlindReason, OrderSafety
from tasks.settings import ServiceSettings
from tests.fakes.ports import free_port
from tests.fakes.service.scripted import Asked, refused, replied, scripted
from tests.fakes.service.wire import answering, drip, never

pytestmark = pytest.mark.live


def watched(url: str) -> ServiceSettings:
    """A service at an address, asked with short deadlines."""
    return ServiceSettings.model_validate(
        {"base_url": url, "look": {"health_timeout_s": 0.4, "order_timeout_s": 0.4, "connect_timeout_s": 0.4}}
    )


def order(client_order_id: str, status: str = "unknown") -> dict[str, Any]:
    """One order as the journal lists it."""
    return {"client_order_id": client_order_id, "status": status, "accepted_at": datetime.now(UTC).isoformat()}


def listing(found: Callable[[str], list[dict[str, Any]]]) -> Callable[[Asked], bytes]:
    """Answer as the journal does, one page of each status."""
    return lambda asked: replied(200, {"orders": found(asked.query["status"]), "next": None})


async def test_orders_in_flight_are_asked_for_before_the_unknown_ones() -> None:
    """The other way round, an order that loses its answer in between would be in neither list."""
    moved = {"in_flight": [order("a", "in_flight")], "unknown": [order("a")]}
    async with scripted(listing(lambda status: moved[status])) as (url, asked):
        states = await order_states(watched(url))

    assert [one.query["status"] for one in asked] == ["in_flight", "unknown"]
    assert (states.verdict, states.ids) == (OrderSafety.UNSAFE, ("a",))


async def test_every_page_is_read() -> None:
    """The one unknown order of the last page is the one that would be traded twice."""

    def paged(asked: Asked) -> bytes:
        after = int(asked.query.get("after", 0))
        found = [order("last")] if after == 3 else [order(f"done-{after}", "filled")]
        return replied(200, {"orders": found, "next": None if after == 3 else after + 1})

    async with scripted(paged) as (url, _):
        states = await order_states(watched(url))

    assert (states.verdict, states.ids) == (OrderSafety.UNSAFE, ("last",))


@pytest.mark.parametrize("step", [0, 1], ids=["the same page again", "for ever another"])
async def test_a_list_without_end_is_blind_after_a_bounded_number_of_pages(step: int) -> None:
    """A service that pages badly must not hold an incident, nor pass for safe."""

    def endless(asked: Asked) -> bytes:
        return replied(200, {"orders": [], "next": int(asked.query.get("after", 5)) + step})

    async with scripted(endless) as (url, asked):
        states = await order_states(watched(url))

    assert states.verdict is OrderSafety.BLIND
    assert len(asked) <= 2 * PAGES_COUNT


async def test_a_service_that_knows_unknown_orders_only_is_believed() -> None:
    """The contract asks for no more than `status=unknown`."""

    def only_unknown(asked: Asked) -> bytes:
        listed = asked.query["status"] == "unknown"
        return replied(200, {"orders": [order("a")]}) if listed else refused(422, "INVALID_REQUEST")

    async with scripted(only_unknown) as (url, _):
        assert (await order_states(watched(url))).ids == ("a",)


async def test_a_service_that_refuses_both_words_is_blind() -> None:
    """Then nothing was listed at all."""
    async with scripted(lambda _: refused(422, "INVALID_REQUEST")) as (url, _):
        assert (await order_states(watched(url))).blind is BlindReason.UNREADABLE_ANSWER


async def test_a_bare_list_is_read() -> None:
    """A foreign service may answer without an object around it."""
    async with scripted(lambda _: replied(200, ["a", "b"])) as (url, _):
        assert (await order_states(watched(url))).ids == ("a", "b")


@pytest.mark.parametrize("answer", [never, drip])
async def test_a_service_that_does_not_answer_is_blind_in_bounded_time(answer: Any) -> None:
    """A hung service is exactly the one that is asked about."""
    started = time.monotonic()
    async with answering(answer) as url:
        states = await order_states(watched(url), within_s=0.5)

    assert (states.verdict, states.blind) == (OrderSafety.BLIND, BlindReason.NOT_ANSWERED)
    assert time.monotonic() - started < 20


async def test_a_service_that_is_gone_is_blind_and_says_so() -> None:
    """A dead service has a journal, and nobody who reads it to us."""
    states = await order_states(watched(f"http://127.0.0.1:{free_port()}"))

    assert (states.verdict, states.blind) == (OrderSafety.BLIND, BlindReason.NOT_REACHED)


async def test_it_asks_again_until_the_service_has_proven_every_order() -> None:
    """The service asks the gateway; we look until it has its answer, and send nothing."""
    turns = iter([[], [order("a")], [], [order("a")], [], []])
    async with scripted(lambda _: replied(200, {"orders": next(turns), "next": None})) as (url, asked):
        states = await proven_within(watched(url), 10.0)

    assert states.verdict is OrderSafety.SAFE
    assert states.waited_s > 0.5
    assert {one.method for one in asked} == {"GET"}
    assert len(asked) == 6


async def test_it_gives_up_at_its_bound_with_the_ids() -> None:
    """The plan then stops at a person, who asks the venue for exactly these."""
    started = time.monotonic()
    async with scripted(listing(lambda status: [order("a")] if status == "unknown" else [])) as (url, asked):
        states = await proven_within(watched(url), 1.2)

    assert (states.verdict, states.ids) == (OrderSafety.UNSAFE, ("a",))
    assert len(asked) >= 4
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("wait_s", [0.0, -5.0, float("nan")])
async def test_without_a_time_to_wait_it_looks_once(wait_s: float) -> None:
    """One look is what a report asks for; a time that is none is no time."""
    async with scripted(listing(lambda _: [order("a")])) as (url, asked):
        await proven_within(watched(url), wait_s)

    assert len(asked) == 2


async def test_a_list_that_does_not_exist_is_not_waited_for() -> None:
    """The action is then a person's, at once."""
    async with scripted(lambda _: refused(404, "NOT_FOUND")) as (url, asked):
        states = await proven_within(watched(url), 30.0)

    assert states.blind is BlindReason.NOT_AVAILABLE
    assert len(asked) == 1


async def test_a_service_that_goes_on_trading_is_not_waited_for_until_the_end() -> None:
    """Under load there is an order in flight at every moment, and a re-route that waits for none never comes."""
    numbers = iter(range(1000))

    def busy(status: str) -> list[dict[str, Any]]:
        return [order(f"order-{next(numbers)}", "in_flight")] if status == "in_flight" else []

    async with scripted(listing(busy)) as (url, asked):
        states = await proven_within(watched(url), 30.0)

    assert states.verdict is OrderSafety.WAIT
    assert len(asked) == 4


async def test_what_is_enough_for_an_action_ends_the_wait() -> None:
    """A hung service proves nothing, however long its restart is put off."""
    async with scripted(listing(lambda status: [order("a", status)] if status == "in_flight" else [])) as (url, asked):
        await proven_within(watched(url), 30.0, enough=lambda states: states.ids == ("a",))

    assert len(asked) == 2
