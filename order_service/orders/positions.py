"""Net positions from fills, and what working orders may still take from them."""

from dataclasses import dataclass, replace
from decimal import Decimal

from order_service.api.contract import OrderStatus
from order_service.journal.rows import PositionRow
from order_service.orders.order import OPEN, NewOrder, Side, plain

Key = tuple[str, str, str]
_FLAT = Decimal(0)


@dataclass(frozen=True, slots=True)
class Working:
    """One open order: how much it may still trade, and how much of it is in the position already."""

    key: Key
    side: Side
    quantity: Decimal
    booked: Decimal = _FLAT


class PositionBook:
    """Count each fill once: cumulative quantities are compared, never added up."""

    def __init__(self) -> None:
        self._net: dict[Key, Decimal] = {}
        self._working: dict[str, Working] = {}
        self._leaves: dict[tuple[Key, Side], Decimal] = {}

    def restore(self, row: PositionRow) -> None:
        self._net[(row.asset_class, row.strategy, row.symbol)] = Decimal(row.net_quantity)

    def open(self, order: NewOrder, booked: Decimal = _FLAT) -> bool:
        """Count an order as working from before it is sent, so that two orders cannot close one position twice.

        Says whether it was not counted before.
        """
        if order.client_order_id in self._working:
            return False
        working = Working(key_of(order), order.side, order.quantity, booked)
        self._working[order.client_order_id] = working
        self._add_leaves(working, working.quantity - booked)
        return True

    def drop(self, client_order_id: str) -> None:
        """Forget an order that never was sent."""
        working = self._working.pop(client_order_id, None)
        if working is not None:
            self._add_leaves(working, working.booked - working.quantity)

    def book(self, client_order_id: str, status: OrderStatus, cum_qty: Decimal) -> PositionRow | None:
        """Take an order's cumulative quantity into the position; give the position where it changed.

        A repeated or smaller cumulative quantity changes nothing.
        """
        working = self._working.get(client_order_id)
        if working is None:
            return None
        self.drop(client_order_id)
        filled = max(cum_qty - working.booked, _FLAT)
        booked = working.booked + filled
        if status in OPEN:
            self._working[client_order_id] = replace(working, booked=booked)
            self._add_leaves(working, working.quantity - booked)
        return self._move(working, filled) if filled else None

    def net(self, order: NewOrder) -> Decimal:
        """Give the net position this order would change."""
        return self._net.get(key_of(order), _FLAT)

    def reduces(self, order: NewOrder) -> bool:
        """Say whether an order can only bring its position closer to flat, whatever the other working orders do."""
        key = key_of(order)
        net = self._net.get(key, _FLAT)
        closable = net if order.side is Side.SELL else -net
        own = self._working.get(order.client_order_id)
        others = self._leaves.get((key, order.side), _FLAT) - (own.quantity - own.booked if own else _FLAT)
        return order.quantity <= closable - others

    def _move(self, working: Working, filled: Decimal) -> PositionRow:
        net = self._net.get(working.key, _FLAT) + (filled if working.side is Side.BUY else -filled)
        self._net[working.key] = net
        return PositionRow(*working.key, plain(net))

    def _add_leaves(self, working: Working, quantity: Decimal) -> None:
        place = (working.key, working.side)
        left = self._leaves.get(place, _FLAT) + quantity
        if left:
            self._leaves[place] = left
        else:
            self._leaves.pop(place, None)


def key_of(order: NewOrder) -> Key:
    """Name the position an order belongs to."""
    return (order.asset_class.value, order.strategy, order.symbol)
