"""One test order that was sent: what its answers say, now and later, and whether it was taken back."""

import asyncio
import time
from dataclasses import dataclass
from typing import NamedTuple

from tasks.clients.market.hours import market_is_open
from tasks.clients.service.http import Call, HttpClient, exchange
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.model.service.expressions import names_in
from tasks.model.service.order_settings import OrderSettings, PollSettings
from tasks.rules.probes.synthetic_order import in_words
from tasks.rules.probes.synthetic_result import OrderVerdict, judge_order
from tasks.rules.service.filled_template import fill_body, fill_path
from tasks.rules.service.order_answer import CancelAnswer, judge_cancel, judge_described, order_id_of, rests
from tasks.rules.service.order_identity import AskedOrder
from tasks.settings import ServiceSettings

# What a later answer can still change; a reject, a denial and a fill are final.
OPEN = frozenset({OrderOutcome.NO_EXECUTION, OrderOutcome.UNKNOWN, OrderOutcome.MALFORMED})
TRIES_COUNT = 3
AGAIN_S = 0.3


class Found(NamedTuple):
    """What became of the order, the answer that decided, and the service's own id of it."""

    verdict: OrderVerdict
    exchange: Exchange
    order_id: str | None = None
    is_resting: bool = False


@dataclass(frozen=True)
class SentOrder:
    """A test order by our id."""

    client: HttpClient
    service: ServiceSettings
    asset_class: AssetClass
    symbol: str
    client_order_id: str

    async def outcome(self, answer: Exchange) -> Found:
        """Judge the first answer, and where the outcome comes later, ask until it is there or the time is up."""
        described = self._orders
        order_id = order_id_of(answer, described)
        found = self._found(answer, order_id, is_later=False)
        is_taken = answer.http_status is not None and 200 <= answer.http_status < 300
        if described.poll is None or not self._goes_on(found) or not is_taken:
            return found
        if order_id is None and "order_id" in names_in(described.poll.path):
            detail = f"{found.verdict.detail}; no order id at {described.order_id}"
            return found._replace(verdict=found.verdict._replace(detail=detail))
        return await self._asked_again(described.poll, found)

    async def cancel(self, order_id: str | None) -> tuple[CancelAnswer, Exchange | None]:
        """Cancel it, and ask until it is proven to be gone; a cancel may be sent again, it is the same one."""
        described = self._orders.cancel
        if described is None or (order_id is None and "order_id" in self._asked_for):
            return CancelAnswer(detail="its order id is not known"), None
        said, answer = CancelAnswer(detail="not asked"), None
        for attempt in range(TRIES_COUNT):
            if attempt:
                await asyncio.sleep(AGAIN_S)
            answer = await self._ask(
                described.method, described.path, order_id, self._deadline_s, self._cancel_body(order_id)
            )
            said = judge_cancel(answer, self._orders, self._asked(order_id))
            if answer.fault is Fault.TIMED_OUT:
                break
            said = said if said.is_gone else await self._seen_gone(order_id, said)
            if said.is_gone:
                break
        return said, answer

    async def _asked_again(self, poll: PollSettings, found: Found) -> Found:
        until = time.monotonic() + poll.until_s
        while (left_s := until - time.monotonic()) > 0:
            await asyncio.sleep(min(poll.every_s, left_s))
            deadline_s = max(min(self._deadline_s, until - time.monotonic()), poll.every_s)
            answer = await self._ask(poll.method, poll.path, found.order_id, deadline_s)
            found = self._found(answer, found.order_id, is_later=True)
            if not self._goes_on(found):
                return found
        detail = f"{found.verdict.detail}, asked for {poll.until_s:g} s"
        return found._replace(verdict=found.verdict._replace(detail=detail))

    async def _seen_gone(self, order_id: str | None, said: CancelAnswer) -> CancelAnswer:
        poll = self._orders.poll
        if poll is None or (order_id is None and "order_id" in names_in(poll.path)):
            return said
        until = time.monotonic() + min(poll.until_s, 1.0)
        while not said.is_gone and time.monotonic() < until:
            await asyncio.sleep(poll.every_s)
            answer = await self._ask(poll.method, poll.path, order_id, self._deadline_s)
            said = judge_cancel(answer, self._orders, self._asked(order_id, is_later=True))
        return said

    def _goes_on(self, found: Found) -> bool:
        is_seen = self._orders.steps == "rest_and_cancel" and found.is_resting
        return found.verdict.outcome in OPEN and not is_seen

    def _found(self, answer: Exchange, order_id: str | None, *, is_later: bool) -> Found:
        """Judge an answer; whether the market is open is looked up where that decides."""
        asked = self._asked(order_id, is_later=is_later)
        verdict = self._judge(answer, asked, market_open=None)
        if verdict.outcome is OrderOutcome.REJECTED_AS_EXPECTED:
            verdict = self._judge(answer, asked, market_open=market_is_open(self.service, self.asset_class))
        is_resting = not self._orders.is_contract and rests(answer, self._orders, asked)
        return Found(verdict, answer, order_id, is_resting)

    def _judge(self, answer: Exchange, asked: AskedOrder, *, market_open: bool | None) -> OrderVerdict:
        if self._orders.is_contract:
            return judge_order(answer, market_open=market_open)
        return judge_described(answer, self._orders, asked, market_open=market_open)

    async def _ask(
        self, method: str, path: str, order_id: str | None, deadline_s: float, body: str | None = None
    ) -> Exchange:
        url = self.service.url + fill_path(path, self._values(order_id))
        headers = {"content-type": self._orders.cancel.content_type} if body and self._orders.cancel else {}
        limit_bytes = self.service.look.body_limit_bytes
        call = Call(method, url, deadline_s, (body or "").encode(), headers, body_limit_bytes=limit_bytes)
        return await exchange(self.client, call)

    def _cancel_body(self, order_id: str | None) -> str | None:
        cancel = self._orders.cancel
        return fill_body(cancel.body, self._values(order_id), cancel.content_type) if cancel else None

    def _asked(self, order_id: str | None, *, is_later: bool = False) -> AskedOrder:
        order = self.service.test_orders.get(self.asset_class)
        return AskedOrder(self.client_order_id, order.time_in_force if order else "day", order_id, is_later)

    def _values(self, order_id: str | None) -> dict[str, str | None]:
        values = {"client_order_id": self.client_order_id, "asset_class": self.asset_class, "symbol": self.symbol}
        return {**in_words(values, self._orders.words), "order_id": order_id}

    @property
    def _asked_for(self) -> frozenset[str]:
        cancel = self._orders.cancel
        return names_in(cancel.path) | names_in(cancel.body) if cancel else frozenset()

    @property
    def _orders(self) -> OrderSettings:
        return self.service.orders

    @property
    def _deadline_s(self) -> float:
        return self.service.look.order_timeout_s
