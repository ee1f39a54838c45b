"""Say of every order of a drill whether it was lost, sent twice, or is not proven."""

from collections.abc import Iterable

from tasks.model.drills import OrderTally, Sent

# The journal's words for: nobody knows yet; provably at no gateway.
NOT_PROVEN = frozenset({"in_flight", "unknown"})
NEVER_SENT = frozenset({"denied", "not_received"})


def tally_of(sent: Iterable[Sent]) -> OrderTally:
    """Count the orders, each asked for in the journal and at every gateway."""
    orders = tuple(sent)
    return OrderTally(
        sent_count=len(orders),
        lost=tuple(one.client_order_id for one in orders if is_lost(one)),
        doubled=tuple(one.client_order_id for one in orders if one.received_count > 1),
        unproven=tuple(one.client_order_id for one in orders if one.journal in NOT_PROVEN),
    )


def is_lost(order: Sent) -> bool:
    """Say whether the two sides disagree about an order: one has it and the other does not know.

    An order that was answered as executed, or that the journal holds as taken by a gateway, must be at one. One that a
    gateway has must stand in the journal, and not as denied.
    """
    at_gateway = order.received_count > 0
    if at_gateway:
        return order.journal is None or order.journal in NEVER_SENT
    taken = order.journal is not None and order.journal not in NOT_PROVEN | NEVER_SENT
    return taken or order.http_status == 201
