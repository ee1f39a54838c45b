"""What became of each order of a drill: the journal and the gateways must agree."""

import pytest

from tasks.model.drills.drills import Sent
from tasks.rules.drills.scoring import is_lost, tally_of


def sent(http_status: int | None, journal: str | None, received_count: int) -> Sent:
    """One order."""
    return Sent(client_order_id="a", http_status=http_status, journal=journal, received_count=received_count)


@pytest.mark.parametrize(
    "order",
    [
        sent(201, "filled", 1),
        sent(201, "rejected", 1),
        sent(202, "filled", 1),
        sent(None, "filled", 1),
        sent(503, "denied", 0),
        sent(202, "not_received", 0),
        sent(None, None, 0),
        sent(202, "unknown", 1),
        sent(202, "unknown", 0),
    ],
    ids=lambda one: f"{one.http_status} {one.journal} {one.received_count}",
)
def test_an_order_on_which_both_sides_agree_is_not_lost(order: Sent) -> None:
    """One that is not proven is counted as that, and not as lost."""
    assert not is_lost(order)


@pytest.mark.parametrize(
    "order",
    [sent(201, "filled", 0), sent(201, None, 0), sent(None, "filled", 0), sent(None, None, 1), sent(503, "denied", 1),
     sent(202, "not_received", 1)],
    ids=["told as filled, nowhere", "told as filled, forgotten", "booked, nowhere", "at the venue, unknown here",
         "told as denied, at the venue", "told as not received, at the venue"],
)  # fmt: skip
def test_an_order_on_which_the_sides_disagree_is_lost(order: Sent) -> None:
    """A position that nobody knows of, or one that nobody has."""
    assert is_lost(order)


def test_orders_are_counted_by_what_became_of_them() -> None:
    """One order may be counted for two reasons; none is counted for none."""
    twice = Sent(client_order_id="twice", http_status=201, journal="filled", received_count=2)
    open_order = Sent(client_order_id="open", http_status=None, journal="in_flight", received_count=0)
    lost = Sent(client_order_id="lost", http_status=201, journal="filled", received_count=0)

    tally = tally_of((twice, open_order, lost, sent(201, "filled", 1)))

    assert (tally.sent_count, tally.lost, tally.doubled, tally.unproven) == (4, ("lost",), ("twice",), ("open",))
