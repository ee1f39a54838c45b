"""The order-state gate (safety rule 5): may something disruptive be done, given what is still on its way?"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates, UnprovenOrder
from tasks.rules.probes.order_list import IN_FLIGHT, unproven_order

KEPT_COUNT = 500
NAMED_COUNT = 5


class OrderListing(NamedTuple):
    """All that one question gave: `asked` is the status, `blind` why it is not all there is."""

    asked: str
    entries: tuple[object, ...] = ()
    blind: BlindReason | None = None
    detail: str = ""


# From the best to the worst: of two who answer for orders, the worse one counts.
WORSE = (OrderSafety.SAFE, OrderSafety.WAIT, OrderSafety.BLIND, OrderSafety.UNSAFE)


def worst_of(answers: Iterable[OrderStates]) -> OrderStates:
    """Give the answer that allows least."""
    return max(answers, key=lambda one: WORSE.index(one.verdict))


def judge_order_states(listings: Iterable[OrderListing], in_flight_limit_s: float, now: datetime) -> OrderStates:
    """Name the orders that are not proven, and what they allow.

    Runbook: §2.1, §2.2.
    Errors: none; what could not be listed makes the answer blind, unless what was listed already forbids.
    Steps: 1. an order without a usable answer, or too long in flight, is unsafe 2. a list that is not whole is blind
    3. orders that are in flight for a moment are waited for 4. nothing left is safe.
    """
    listings = tuple(listings)
    found: dict[str, UnprovenOrder] = {}
    for number, (asked, entry) in enumerate((one.asked, entry) for one in listings for entry in one.entries):
        order = unproven_order(entry, asked, now)
        if order is not None:
            # An order without a name is still one: two of them are not the same.
            named = order.client_order_id not in {"unnamed", "unreadable"}
            found[order.client_order_id if named else f"{order.client_order_id} {number}"] = order
    unproven = sorted(found.values(), key=lambda one: (_is_young(one, in_flight_limit_s), -(one.age_s or 0.0)))
    blind = next((one for one in listings if one.blind is not None), None)
    verdict, detail = _verdict(unproven, blind, in_flight_limit_s)
    return OrderStates(
        verdict=verdict,
        detail=detail,
        looked_at=now,
        unproven=tuple(unproven[:KEPT_COUNT]),
        unproven_count=len(unproven),
        blind=blind.blind if blind and verdict is OrderSafety.BLIND else None,
    )


def can_still_be_proven(states: OrderStates, first: frozenset[str] | None = None) -> bool:
    """Say whether asking once more can help; `first` are the orders that the first question found, if it was asked.

    Errors: none. Not where all is proven, nor where there is no list to ask for, nor where only orders are in flight
    that came after the first question: a service that works always has such.
    """
    if states.verdict is OrderSafety.WAIT and first is not None:
        return states.unproven_count > len(states.unproven) or not first.isdisjoint(states.ids)
    return states.verdict is not OrderSafety.SAFE and states.blind is not BlindReason.NOT_AVAILABLE


def _verdict(
    unproven: list[UnprovenOrder], blind: OrderListing | None, in_flight_limit_s: float
) -> tuple[OrderSafety, str]:
    lost = [one for one in unproven if not _is_young(one, in_flight_limit_s)]
    if lost:
        return OrderSafety.UNSAFE, f"{_orders(len(lost))} sent without a proven outcome: {_named(lost)}"
    if blind is not None:
        return OrderSafety.BLIND, f"cannot list orders status={blind.asked} {blind.blind}: {blind.detail}"
    if unproven:
        return OrderSafety.WAIT, f"{_orders(len(unproven))} in flight for less than {in_flight_limit_s:g} s"
    return OrderSafety.SAFE, "every order is proven"


def _is_young(order: UnprovenOrder, in_flight_limit_s: float) -> bool:
    return order.status in IN_FLIGHT and order.age_s is not None and order.age_s < in_flight_limit_s


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"


def _named(orders: list[UnprovenOrder]) -> str:
    more = f" and {len(orders) - NAMED_COUNT} more" if len(orders) > NAMED_COUNT else ""
    return ", ".join(one.client_order_id for one in orders[:NAMED_COUNT]) + more
