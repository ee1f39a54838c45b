"""Ask the order service which orders are not proven. It only looks: an unknown order is asked for, never sent again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.http import HttpClient, http_client
from tasks.clients.service.probes import get
from tasks.model.probes.order_states import BlindReason, OrderStates
from tasks.model.service.order_settings import UnprovenSettings
from tasks.rules.messages.redaction import cleaned
from tasks.rules.probes.order_list import PAGE_COUNT, OrderPage, read_page
from tasks.rules.probes.order_states import OrderListing, can_still_be_proven, judge_order_states
from tasks.rules.service.filled_template import fill_path
from tasks.rules.service.unproven_list import read_described_page
from tasks.settings import ServiceSettings

PAGES_COUNT = 10
AGAIN_S = 0.5
# Who does not answer the first question is not asked a second one: in an incident each costs its whole deadline.
NO_LIST = {BlindReason.NOT_AVAILABLE, BlindReason.NOT_REACHED, BlindReason.NOT_ANSWERED}
# One look is at most this long, however many pages there are and however slowly they come.
LOOK_S = 10.0
LONGEST_WAIT_S = 60.0


async def order_states(service: ServiceSettings, within_s: float = LOOK_S) -> OrderStates:
    """List the orders whose outcome is not proven, once, and judge them.

    Runbook: §2.1, §2.2.
    Errors: none; a service that does not answer, or has no such list, is blind.
    Steps: orders in flight are listed first. One that loses its answer in between is then seen twice, and never missed.
    """
    try:
        async with asyncio.timeout(within_s), http_client(service.http, service.look.connect_timeout_s) as client:
            listings = await _listings(client, service)
    except TimeoutError:
        detail = f"no whole list within_s={within_s:g}"
        listings = (OrderListing("unknown", (), BlindReason.NOT_ANSWERED, detail),)
    states = judge_order_states(listings, service.look.order_in_flight_s, datetime.now(UTC))
    return cleaned(states, secret_values(service))


async def proven_within(
    service: ServiceSettings,
    wait_s: float,
    look_s: float = LOOK_S,
    enough: Callable[[OrderStates], bool] | None = None,
) -> OrderStates:
    """Ask again until every order is proven, or the time is up; the service itself asks the gateways.

    Runbook: §2.1, §2.2.
    Units: `wait_s` at most 60 s; 0 checks once. `look_s` bounds one question.
    Errors: none; what is left at the end is the answer. A service that goes on taking orders always has some in flight
    for a moment: WAIT says that nothing else is left, and that none of them was there at the first question. `enough`
    says that no more is needed.
    """
    started = time.monotonic()
    bound_s = min(max(0.0, wait_s), LONGEST_WAIT_S)
    first: frozenset[str] | None = None
    while True:
        left_s = bound_s - (time.monotonic() - started)
        states = await order_states(service, max(min(look_s, left_s), service.look.health_timeout_s))
        first = frozenset(states.ids) if first is None else first
        left_s = bound_s - (time.monotonic() - started)
        if not can_still_be_proven(states, first) or left_s < AGAIN_S or (enough and enough(states)):
            return states.model_copy(update={"waited_s": round(time.monotonic() - started, 3)})
        await asyncio.sleep(AGAIN_S)


async def _listings(client: HttpClient, service: ServiceSettings) -> tuple[OrderListing, ...]:
    """List as the description says; where a service of another make says nothing, a list that is there is none."""
    if service.orders.unproven is not None:
        return (await _described(client, service, service.orders.unproven),)
    is_own = service.is_described and "orders" not in service.model_fields_set
    if is_own or not service.orders.lists_as_contract:
        detail = "the description has no orders.unproven"
        return (OrderListing("unproven", (), BlindReason.NOT_AVAILABLE, detail),)
    in_flight = await _listed(client, service, "in_flight")
    return in_flight, in_flight if in_flight.blind in NO_LIST else await _listed(client, service, "unknown")


async def _described(client: HttpClient, service: ServiceSettings, described: UnprovenSettings) -> OrderListing:
    async def page(after: str | None) -> OrderPage:
        path = fill_path(described.path, {"after": after or ""})
        answer = await get(client, service, path, service.look.order_timeout_s)
        return read_described_page(answer, described, service.orders.words)

    return await _every_page("unproven", page)


async def _listed(client: HttpClient, service: ServiceSettings, status: str) -> OrderListing:
    """Read every page of one status, up to a bound.

    Steps: a service that refuses the word `in_flight`, as the contract allows, tells of its unknown orders only.
    """

    async def page(after: str | None) -> OrderPage:
        path = f"/orders?status={status}&limit={PAGE_COUNT}" + (f"&after={quote(after, safe='')}" if after else "")
        return read_page(await get(client, service, path, service.look.order_timeout_s))

    return await _every_page(status, page)


async def _every_page(asked: str, read: Callable[[str | None], Awaitable[OrderPage]]) -> OrderListing:
    entries: list[object] = []
    after: str | None = None
    for _ in range(PAGES_COUNT):
        page = await read(after)
        if page.refused and asked == "in_flight":
            return OrderListing(asked)
        entries += page.entries
        if page.blind is not None:
            return OrderListing(asked, tuple(entries), page.blind, page.detail)
        if page.after is None:
            return OrderListing(asked, tuple(entries))
        if page.after == after:
            detail = "the next page is the same one again"
            return OrderListing(asked, tuple(entries), BlindReason.UNREADABLE_ANSWER, detail)
        after = page.after
    return OrderListing(asked, tuple(entries), BlindReason.TOO_MANY, f"more than {PAGES_COUNT} pages")
