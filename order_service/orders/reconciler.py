"""Asking the gateways about orders that are out: what became of the unknown ones, what is left of the open ones.

Nothing is ever sent again. A cancel is always allowed: halted, draining or degraded.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

import orjson

from order_service.api.contract import OrderStatus
from order_service.gateways.execution import (
    CancelRefused,
    Executed,
    LookUpOutcome,
    NeverReceived,
    NoUsableAnswer,
    execution_body,
)
from order_service.gateways.pool import Gateways
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder
from order_service.orders.order import OPEN, WORKING
from order_service.orders.outcome_recorder import OutcomeRecorder
from order_service.runtime.codes import Code, Refused
from order_service.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

PROOF_GAP_S = 2.0
LONGEST_SEND_S = 120.0
WORKING_EVERY_TURNS = 3
WORKING_PER_TURN = 64
ASKED_TOGETHER = 16


@dataclass(slots=True)
class Unproven:
    """One unknown order, and when the gateway first reported that it does not know it.

    Units: seconds of the clock that never jumps. Until `not_before` its bytes may still be on their way.
    """

    row: JournaledOrder
    first_denial_at: float | None = None
    is_synthetic: bool = False
    not_before: float = 0.0


def never_received(unproven: Unproven, now: float, gap_s: float = PROOF_GAP_S) -> bool:
    """Say whether a second "unknown to me" proves that the order never arrived.

    The first must lie behind the send deadline, since the bytes may still be on their way before; the second must lie
    behind the first, since a gateway that has just come back reads its orders before it is asked twice.
    """
    first = unproven.first_denial_at
    return first is not None and now - first >= gap_s


@dataclass(slots=True)
class Reconciler:
    """Ask for each unknown order until its outcome is proven."""

    gateways: Gateways
    recorder: OutcomeRecorder
    metrics: Metrics
    every_s: float
    clock: Callable[[], float] = time.monotonic
    proof_gap_s: float = PROOF_GAP_S
    _unproven: dict[str, Unproven] = field(default_factory=dict)
    _working: dict[str, JournaledOrder] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._unproven)

    def real_count(self) -> int:
        return len(self) - self.synthetic_count()

    def synthetic_count(self) -> int:
        return sum(unproven.is_synthetic for unproven in self._unproven.values())

    def watch(self, row: JournaledOrder) -> None:
        """Take an order whose outcome is not proven.

        The wall clock says only how long its sending may last at most; it jumps, and a day forward proves nothing.
        """
        left_s = min(max(row.send_deadline_at - time.time(), 0.0), LONGEST_SEND_S) + self.proof_gap_s
        is_synthetic = row.is_synthetic
        self._unproven[row.client_order_id] = Unproven(row, is_synthetic=is_synthetic, not_before=self.clock() + left_s)

    def follow(self, row: JournaledOrder) -> None:
        """Take an order that stands at the venue, since later fills come by asking alone; let go of a closed one."""
        if row.status in WORKING:
            self._working[row.client_order_id] = row
        else:
            self._working.pop(row.client_order_id, None)

    def forget(self, client_order_id: str) -> None:
        """Drop an order that is settled on another way, by a cancel for instance."""
        self._unproven.pop(client_order_id, None)
        self._working.pop(client_order_id, None)

    async def run(self) -> None:
        for turn in itertools.count(1):
            await asyncio.sleep(self.every_s)
            try:
                await self.ask_all()
                if turn % WORKING_EVERY_TURNS == 0:
                    await self.ask_working()
            except Exception:
                log.exception("RECONCILER_FAILED: unknown=%d", len(self._unproven))

    async def ask_all(self) -> None:
        """Ask each gateway once for each of its unknown orders, gateways side by side."""
        rows = sorted(self._unproven.values(), key=lambda unproven: unproven.row.gateway or "")
        groups = [list(group) for _, group in groupby(rows, key=lambda unproven: unproven.row.gateway)]
        await asyncio.gather(*(self._ask_gateway(group) for group in groups))

    async def ask_working(self) -> None:
        """Ask for a bounded number of orders that stand at a venue, each in its turn."""
        rows = list(itertools.islice(self._working.values(), WORKING_PER_TURN))
        for row in rows:
            self._working[row.client_order_id] = self._working.pop(row.client_order_id)
        await asyncio.gather(*(self._refresh(row) for row in rows))

    async def _refresh(self, row: JournaledOrder) -> None:
        client = self.gateways.get(row.gateway)
        if client is None:
            return
        outcome = await client.look_up(row.client_order_id)
        if not isinstance(outcome, Executed) or self._working.get(row.client_order_id) is not row:
            return
        if _reported(orjson.dumps(execution_body(outcome.execution, client.name, 0))) != _reported(
            row.execution or b"{}"
        ):
            self._working.pop(row.client_order_id)
            self.follow(await self.recorder.executed(row, row.order, outcome))

    async def _ask_gateway(self, group: list[Unproven]) -> None:
        """Ask in small lots, and stop for now at the first lot that brings nothing: the gateway is not there yet."""
        client = self.gateways.get(group[0].row.gateway)
        if client is None:
            return
        for start in range(0, len(group), ASKED_TOGETHER):
            lot = group[start : start + ASKED_TOGETHER]
            outcomes = await asyncio.gather(*(client.look_up(unproven.row.client_order_id) for unproven in lot))
            for unproven, outcome in zip(lot, outcomes, strict=True):
                await self._take(unproven, outcome)
            if all(isinstance(outcome, NoUsableAnswer) for outcome in outcomes):
                return

    async def _take(self, unproven: Unproven, outcome: LookUpOutcome) -> None:
        row, now = unproven.row, self.clock()
        if self._unproven.get(row.client_order_id) is not unproven:
            return
        match outcome:
            case Executed():
                settled = await self.recorder.executed(row, row.order, outcome)
                self._proven(settled)
            case NeverReceived():
                if never_received(unproven, now, self.proof_gap_s):
                    self._proven(await self.recorder.not_received(row))
                elif unproven.first_denial_at is None and now >= unproven.not_before:
                    unproven.first_denial_at = now
            case NoUsableAnswer():
                unproven.first_denial_at = None

    def _proven(self, settled: JournaledOrder) -> None:
        self.forget(settled.client_order_id)
        self.follow(settled)
        self.metrics.order_resolved(settled.status)
        log.info("ORDER_RESOLVED: client_order_id=%s, status=%s", settled.client_order_id, settled.status)


def _reported(execution: bytes) -> dict[str, object]:
    """Read what the gateway reported of an order; the times of our asking do not count."""
    return {name: value for name, value in orjson.loads(execution).items() if name not in {"gateway", "latency_ms"}}


@dataclass(frozen=True, slots=True)
class Cancels:
    """Ask the gateway that holds an order to cancel it.

    Errors: Refused with UNKNOWN_ORDER, ORDER_CLOSED, CANCEL_REJECTED, or CANCEL_UNKNOWN when no usable answer came.
    """

    journal: Journal
    gateways: Gateways
    recorder: OutcomeRecorder
    reconciler: Reconciler

    async def cancel(self, client_order_id: str) -> JournaledOrder:
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
        self.reconciler.forget(row.client_order_id)
        settled = await self.recorder.executed(row, row.order, outcome)
        self.reconciler.follow(settled)
        return settled
