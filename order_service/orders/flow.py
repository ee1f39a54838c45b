"""The way of one order: admitted, written down, sent once, settled, answered."""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import orjson

from order_service.api.contract import OrderStatus
from order_service.gateways.execution import Executed, NotSent, NoUsableAnswer
from order_service.gateways.pool import Gateways
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder, JournalUnavailable
from order_service.orders.answers import Answer, answer_of, error_json
from order_service.orders.order import NewOrder, body_hash
from order_service.orders.outcome_recorder import OutcomeRecorder
from order_service.orders.pre_trade_checks import PreTradeChecks
from order_service.orders.reconciler import Reconciler
from order_service.runtime.clock import rfc3339, utc_now
from order_service.runtime.codes import Code, Refused
from order_service.telemetry.metrics import Metrics
from order_service.telemetry.routing_failures import RoutingFailures

log = logging.getLogger(__name__)


RETRY_AFTER_S = 5
DRAIN_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class _Running:
    digest: str
    task: "asyncio.Task[Answer]"


@dataclass(slots=True)
class OrderFlow:
    """Take orders. One client order id is worked on by one task, however many requests ask for it."""

    release: str
    checks: PreTradeChecks
    journal: Journal
    gateways: Gateways
    recorder: OutcomeRecorder
    reconciler: Reconciler
    metrics: Metrics
    failures: RoutingFailures
    draining: bool = False
    _running: dict[str, _Running] = field(default_factory=dict)
    _id_prefix: str = field(default_factory=lambda: secrets.token_hex(8))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def running_count(self) -> int:
        return len(self._running)

    def begin_drain(self) -> None:
        """Take no new orders from here on."""
        if not self.draining:
            log.info("DRAINING: no new orders are taken")
        self.draining = True

    async def drained(self, deadline_s: float) -> bool:
        """Take no new orders and wait for those in flight; say whether the deadline held."""
        self.begin_drain()
        try:
            async with asyncio.timeout(deadline_s):
                while self._running:  # noqa: ASYNC110 - a count is polled so that no order pays for an event
                    await asyncio.sleep(DRAIN_POLL_S)
        except TimeoutError:
            log.warning("DRAIN_DEADLINE: in_flight=%d; the next start treats them as unknown", len(self._running))
            return False
        return True

    async def take(self, order: NewOrder) -> Answer:
        """Work on an order to its answer, also when the client goes away before the answer.

        Errors: Refused when nothing was written down; every later end is an answer.
        """
        body = order.canonical_body()
        digest = body_hash(body)
        running = self._running.get(order.client_order_id)
        if running is None:
            running = self._start(order, body, digest)
        elif running.digest != digest:
            raise _duplicate(order.client_order_id)
        return await asyncio.shield(running.task)

    def _start(self, order: NewOrder, body: bytes, digest: str) -> _Running:
        if self.draining:
            raise Refused(Code.DRAINING, "the service is stopping and takes no new orders", retry_after_s=RETRY_AFTER_S)
        task = asyncio.get_running_loop().create_task(self._guarded(order, self._row(order, body, digest)))
        running = self._running[order.client_order_id] = _Running(digest, task)
        task.add_done_callback(lambda _: self._running.pop(order.client_order_id, None))
        return running

    async def _guarded(self, order: NewOrder, row: JournaledOrder) -> Answer:
        """Work on an order and count it; the outermost part of the order path.

        Errors: Refused; whatever else breaks becomes INTERNAL_ERROR with its traceback in the log.
        """
        started = time.perf_counter()
        try:
            settled = await self._work(order, row)
        except Refused as refused:
            self._count_refusal(order, refused, time.perf_counter() - started)
            raise
        except Exception as error:
            log.exception("ORDER_FAILED: client_order_id=%s", order.client_order_id)
            self.metrics.order_done(order.asset_class, row.gateway, "error", time.perf_counter() - started)
            raise Refused(Code.INTERNAL_ERROR, "the service failed on this order; ask for it by its id") from error
        if settled.order_id == row.order_id:
            self._count(order, settled, time.perf_counter() - started)
        return answer_of(settled)

    async def _work(self, order: NewOrder, row: JournaledOrder) -> JournaledOrder:
        """Give the order as it ends, or the one that held its id before as it was first answered."""
        self.metrics.strategy_asked(order.strategy)
        try:
            row = self._decided(order, row)
        except Refused as refused:
            return await self._answered_before(row, refused)
        held = await self._begin(row, order)
        if held is None:
            return row if row.status is OrderStatus.DENIED else await self._send(row, order)
        return _first_answer(held, row)

    def _decided(self, order: NewOrder, row: JournaledOrder) -> JournaledOrder:
        """Name the gateway, or deny.

        Errors: Refused where the client is asked to come again with this id; what is written down holds it for good.
        """
        try:
            gateway = self.checks.admit(order)
        except Refused as refused:
            if refused.retry_after_s is not None:
                raise
            error = error_json(refused.code, refused.message, refused.field)
            return row.settled(OrderStatus.DENIED, None, error)
        wait_s = self.gateways[gateway].rules.total_timeout_s + self.journal.begin_timeout_s
        return replace(row, gateway=gateway, send_deadline_at=time.time() + wait_s)

    async def _answered_before(self, row: JournaledOrder, refused: Refused) -> JournaledOrder:
        """Give the first answer of an order that stands in the journal, since it asks for nothing new.

        Errors: the refusal where none stands there.
        """
        try:
            held = await self.journal.find(row.client_order_id)
        except JournalUnavailable:
            held = None
        if held is None:
            raise refused
        return _first_answer(held, row)

    async def _begin(self, row: JournaledOrder, order: NewOrder) -> JournaledOrder | None:
        """Write the order down; what it holds until it is sent goes to others if it is not."""
        admitted = row.status is OrderStatus.IN_FLIGHT
        reserved = admitted and self.recorder.positions.open(order)
        begun = False
        try:
            held = await self.journal.begin(row)
            begun = held is None
        except JournalUnavailable as error:
            raise Refused(Code.JOURNAL_UNAVAILABLE, f"the order was not written down, so not sent; {error}") from error
        finally:
            if admitted and not begun:
                self.checks.features.give_place_back(order)
            if reserved and not begun:
                self.recorder.positions.drop(row.client_order_id)
        return held

    async def _send(self, row: JournaledOrder, order: NewOrder) -> JournaledOrder:
        client = self.gateways[row.gateway or ""]
        try:
            self.checks.recheck(order, client.name)
        except Refused as refused:
            return await self.recorder.denied(row, refused)
        try:
            outcome = await client.send(order)
            match outcome:
                case Executed():
                    self.metrics.gateway_answered(client.name, outcome.latency_ms / 1000)
                    if outcome.is_repeated:
                        self.metrics.duplicate_fills.labels(client.name).inc()
                    settled = await self.recorder.executed(row, order, outcome)
                    self.reconciler.follow(settled)
                    return settled
                case NotSent(code, message, place):
                    return await self.recorder.denied(row, Refused(code, message, place))
                case NoUsableAnswer(code, message):
                    return await self._unknown(row, code, message)
        except Exception:
            await self._unknown(row, Code.SERVICE_FAILED_IN_FLIGHT, "the service failed while the order was out")
            raise

    async def _unknown(self, row: JournaledOrder, code: Code, message: str) -> JournaledOrder:
        if code is Code.GATEWAY_ANSWER_MISMATCHED:
            self.metrics.duplicate_fills.labels(row.gateway).inc()
        row = replace(row, send_deadline_at=min(row.send_deadline_at, time.time()))
        settled = await self.recorder.unknown(row, code, message)
        self.reconciler.watch(settled)
        return settled

    def _row(self, order: NewOrder, body: bytes, digest: str) -> JournaledOrder:
        return JournaledOrder(
            client_order_id=order.client_order_id,
            order_id=f"{self._id_prefix}-{next(self._numbers)}",
            body_hash=digest,
            body=body,
            gateway=None,
            release=self.release,
            accepted_at=rfc3339(utc_now()),
            send_deadline_at=0.0,
            status=OrderStatus.IN_FLIGHT,
        )

    def _count(self, order: NewOrder, settled: JournaledOrder, seconds: float) -> None:
        self.metrics.order_done(order.asset_class, settled.gateway, settled.status, seconds)
        if settled.error is None:
            return
        error = orjson.loads(settled.error)
        code, message = Code[error["code"]], str(error["message"])
        if settled.status is OrderStatus.DENIED:
            self.metrics.order_denied(order.asset_class, code)
        key = (order.asset_class, settled.gateway or "none", code)
        self.failures.note(key, order.client_order_id, message, is_synthetic=order.synthetic)
        log.warning("ORDER_%s: client_order_id=%s, code=%s", settled.status.upper(), order.client_order_id, code)

    def _count_refusal(self, order: NewOrder, refused: Refused, seconds: float) -> None:
        if refused.code is Code.DUPLICATE_CLIENT_ORDER_ID:
            self.metrics.order_invalid(refused.code)
            return
        self.metrics.order_done(order.asset_class, None, OrderStatus.DENIED, seconds)
        self.metrics.order_denied(order.asset_class, refused.code)
        log.warning("ORDER_DENIED: client_order_id=%s, code=%s", order.client_order_id, refused.code)


def _first_answer(held: JournaledOrder, row: JournaledOrder) -> JournaledOrder:
    if held.body_hash != row.body_hash:
        raise _duplicate(row.client_order_id)
    return held.as_first_answered()


def _duplicate(client_order_id: str) -> Refused:
    return Refused(
        Code.DUPLICATE_CLIENT_ORDER_ID,
        f"client_order_id {client_order_id} was used before with another body; use a new one",
        "client_order_id",
    )
