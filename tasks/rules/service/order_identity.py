"""Whose order an answer is about: ours, or another one's, whose fill proves nothing."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tasks.model.probes.control import printable_line
from tasks.model.probes.fix_words import plain_word
from tasks.model.probes.probes import Exchange
from tasks.model.service.order_settings import OrderSettings
from tasks.rules.formats.json_values import doubled_key
from tasks.rules.service.expression import value_at

NODES_LIMIT_COUNT = 5000
DEPTH_LIMIT_COUNT = 30
_CLIENT_IDS = frozenset({"clordid", "clorderid", "clientorderid"})
_FIX_TAGS = frozenset({"35", "37", "39", "150"})


class AskedOrder(NamedTuple):
    """The test order that an answer must be about; with `is_later` the answer is one to a later question."""

    client_order_id: str
    time_in_force: str = "day"
    order_id: str | None = None
    is_later: bool = False


def why_not_ours(
    exchange: Exchange, document: Any, orders: OrderSettings, asked: AskedOrder, *, needs_id: bool = True
) -> str:
    """Say why an answer proves nothing of our order; empty where it may.

    Steps: it may say one thing and another under the same key; or it names another order, whose fill is not ours.
    """
    if twice := doubled_key(exchange.body):
        return f"the answer has {twice} twice in one object"
    other = _of_another(document, orders, asked, needs_id=needs_id)
    return f"the answer is of another order: {other}" if other else ""


def _of_another(document: Any, orders: OrderSettings, asked: AskedOrder, *, needs_id: bool) -> str:
    ours = asked.client_order_id
    if orders.client_order_id:
        found = value_at(orders.client_order_id, document)
        is_ours = isinstance(found, str) and found.strip().lower() == ours.lower()
        if not is_ours and (needs_id or found is not None):
            return f"client_order_id={printable_line(str(found)[:100])}, expected {ours}"
    # An answer may repeat what was sent beside the execution of another order.
    for part in (document, value_at(orders.execution, document)):
        named = [one for one in _client_ids(part) if isinstance(one, str | int)]
        if named and ours.lower() not in {str(one).strip().lower() for one in named}:
            return f"client_order_id={printable_line(str(named[0])[:100])}, expected {ours}"
    named_id = value_at(orders.order_id, document) if orders.order_id and asked.order_id else None
    if named_id is not None and str(named_id) != asked.order_id:
        return f"order_id={printable_line(str(named_id)[:100])}, expected {asked.order_id}"
    return ""


def _client_ids(document: Any) -> Iterator[object]:
    """Find what stands behind FIX's name or tag of the client's order id, wherever it is."""
    left, seen = [(document, 0)], 0
    while left and seen < NODES_LIMIT_COUNT:
        one, depth = left.pop()
        seen += 1
        if isinstance(one, dict):
            is_fix = not _FIX_TAGS.isdisjoint(one)
            yield from (
                value for key, value in one.items() if plain_word(key) in _CLIENT_IDS or (is_fix and key == "11")
            )
        parts = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left += [(part, depth + 1) for part in parts if depth < DEPTH_LIMIT_COUNT and isinstance(part, dict | list)]
