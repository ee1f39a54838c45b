"""What an outcome changes: the journal, the position, the last price. Shared by sending, resolving and canceling."""

from dataclasses import dataclass
from decimal import Decimal

import orjson

from order_service.api.contract import OrderStatus
from order_service.gateways.execution import Executed, execution_body
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder
from order_service.orders.answers import error_json
from order_service.orders.order import NewOrder
from order_service.orders.positions import PositionBook
from order_service.orders.pre_trade_checks import Features
from order_service.runtime.codes import Code, Refused


@dataclass(frozen=True, slots=True)
class OutcomeRecorder:
    """Write outcomes down; each method gives the order as it now stands."""

    journal: Journal
    positions: PositionBook
    features: Features

    async def executed(self, row: JournaledOrder, order: NewOrder, executed: Executed) -> JournaledOrder:
        execution = executed.execution
        block = orjson.dumps(execution_body(execution, row.gateway or "", executed.latency_ms))
        settled = row.settled(execution.status, block, None)
        # Nothing may fail between the position in memory and the journal: the fill would count once and never be kept.
        position = self.positions.book(row.client_order_id, execution.status, execution.cum_qty or Decimal(0))
        await self.journal.settle(settled, position)
        if position is not None:
            self.features.observe_price(order, execution.last_px)
        return settled

    async def denied(self, row: JournaledOrder, refused: Refused) -> JournaledOrder:
        error = error_json(refused.code, refused.message, refused.field)
        return await self._without_execution(row, OrderStatus.DENIED, error)

    async def not_received(self, row: JournaledOrder) -> JournaledOrder:
        """Close an order that the gateway provably never received."""
        message = f"gateway {row.gateway} never received the order; send a new one under a new id"
        error = error_json(Code.ORDER_NOT_RECEIVED, message)
        return await self._without_execution(row, OrderStatus.NOT_RECEIVED, error)

    async def unknown(self, row: JournaledOrder, code: Code, message: str) -> JournaledOrder:
        """Keep an order open whose outcome is not proven; its quantity stays reserved."""
        settled = row.settled(OrderStatus.UNKNOWN, None, error_json(code, message))
        await self.journal.settle(settled)
        return settled

    async def _without_execution(self, row: JournaledOrder, status: OrderStatus, error: bytes) -> JournaledOrder:
        self.positions.drop(row.client_order_id)
        settled = row.settled(status, None, error)
        await self.journal.settle(settled)
        return settled
