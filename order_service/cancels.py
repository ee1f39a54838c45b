"""Canceling an order. Always allowed: halted, draining or degraded, what is out may be pulled back."""

import logging
from dataclasses import dataclass

from order_service.codes import Code, Refused
from order_service.gateways.outcomes import CancelRefused, Executed, NoUsableAnswer
from order_service.gateways.pool import Gateways
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder
from order_service.order import OPEN, OrderStatus
from order_service.resolver import Resolver
from order_service.settlement import Settlement

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cancels:
    """Ask the gateway that holds an order to cancel it.

    Errors: Refused with UNKNOWN_ORDER, ORDER_CLOSED, CANCEL_REJECTED, or CANCEL_UNKNOWN when no usable answer came.
    """

    journal: Journal
    gateways: Gateways
    settlement: Settlement
    resolver: Resolver

    async def cancel(self, client_order_id: str) -> JournaledOrder:
        """Cancel what is left of an order; give it as it then stands."""
        row = await self.journal.find(client_order_id)
        if row is None:
            raise Refused(Code.UNKNOWN_ORDER, "no order stands under this id", "client_order_id")
        client = self.gateways.get(row.gateway)
        if row.status not in OPEN or client is None:
            raise Refused(Code.ORDER_CLOSED, f"the order is {row.status} already")
        outcome = await client.cancel(client_order_id)
        log.info("CANCEL: client_order_id=%s, outcome=%s", client_order_id, type(outcome).__name__)
        match outcome:
            case Executed():
                return await self._canceled(row, outcome)
            case CancelRefused(message):
                raise Refused(Code.CANCEL_REJECTED, message)
            case NoUsableAnswer(_, message):
                raise Refused(Code.CANCEL_UNKNOWN, f"{message}; the cancel may or may not have been taken")

    async def _canceled(self, row: JournaledOrder, outcome: Executed) -> JournaledOrder:
        if row.status is OrderStatus.IN_FLIGHT:
            return row
        self.resolver.forget(row.client_order_id)
        settled = await self.settlement.executed(row, row.order, outcome)
        self.resolver.follow(settled)
        return settled
