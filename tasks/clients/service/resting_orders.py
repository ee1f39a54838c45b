"""A test order that may rest on a book is always canceled: at once, on the way out, or by the next check.

Where nobody can prove that it is gone, or it filled, that is reported, and no further one is sent: a broken cancel
leaves one order, not a book, and a price that fills leaves one position.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.left_orders import forget, keep, left_behind, place_of
from tasks.clients.service.sent_order import Found, SentOrder
from tasks.model.errors import CannotAct
from tasks.model.probes.left_orders import LeftOrder
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.model.service.expressions import names_in
from tasks.rules.probes.synthetic_result import OrderVerdict, verdict_of_fault
from tasks.rules.service.order_answer import CancelAnswer, is_partial, order_id_of

TAKE_BACK_S = 5.0
# A process that is told to end waits for a cancel no longer than this.
ON_THE_WAY_OUT_S = 2.0
NEVER_RESTS = frozenset(
    {
        *(OrderOutcome.EXECUTED, OrderOutcome.REJECTED, OrderOutcome.REJECTED_AS_EXPECTED),
        *(OrderOutcome.DENIED, OrderOutcome.NOT_REACHED),
    }
)
NO_LOGIN = frozenset({401, 403, 407})
KNOWS_NONE = frozenset({404, 410})


class TakenBack(NamedTuple):
    """What became of the order, and what it left; `is_kept` says that the next check knows of it."""

    found: Found
    left: str = ""
    is_kept: bool = False


async def sent_and_taken_back(sent: SentOrder, call: Call, limit: asyncio.Timeout | None) -> TakenBack:
    """Send a test order, see what becomes of it, and cancel what rests; report what it left, if it left something.

    Errors: `SINK_UNWRITABLE` where an order that is meant to rest cannot be written down; it is then not sent.
    """
    earlier = await _earlier(sent)
    if earlier is not None:
        return earlier
    order = LeftOrder(
        client_order_id=sent.client_order_id,
        asset_class=sent.asset_class,
        symbol=sent.symbol,
        service_url=sent.service.url,
        sent_at=datetime.now(UTC),
    )
    _keep(sent, order)
    try:
        answer = await exchange(sent.client, call, limit)
        taken = answer.http_status is not None and 200 <= answer.http_status < 300
        order_id = order_id_of(answer, sent.service.orders)
        order = order.model_copy(update={"order_id": order_id, "was_taken": taken})
        _keep(sent, order)
        found = await sent.outcome(answer)
        return await _closed(sent, order, found)
    except asyncio.CancelledError:
        await _on_the_way_out(sent, order)
        raise


async def _earlier(sent: SentOrder) -> TakenBack | None:
    """Cancel what an earlier check left. While one may still rest, or its position is open, no other is sent."""
    for order in left_behind(sent.service.url, sent.asset_class, datetime.now(UTC)):
        if order.was_filled:
            return _not_sent(_filled_words(order), None)
        mine = replace(sent, client_order_id=order.client_order_id, symbol=order.symbol)
        said, answer = await _canceled(mine, order)
        if said.is_gone:
            forget(order)
            continue
        keep(order.model_copy(update={"given_up": True}))
        return _not_sent(_left_words(order, said), answer)
    return None


def _not_sent(left: str, answer: Exchange | None) -> TakenBack:
    broken = verdict_of_fault(answer) if answer else None
    verdict = OrderVerdict(broken.outcome if broken else OrderOutcome.BLIND, f"no test order was sent: {left}")
    return TakenBack(Found(verdict, answer or Exchange(method="", url="", fault=Fault.CLIENT)), left, is_kept=True)


async def _closed(sent: SentOrder, order: LeftOrder, found: Found) -> TakenBack:
    """Cancel what may rest, and report what is left."""
    is_to_rest = sent.service.orders.steps == "rest_and_cancel"
    if not _may_rest(sent, found):
        is_filled = is_to_rest and found.verdict.outcome is OrderOutcome.EXECUTED
        return _filled(sent, order, found) if is_filled else _gone(order, found)
    said, _ = await _canceled(sent, order)
    if not said.is_gone:
        return _not_taken_back(sent, order, found, said)
    if said.is_filled:
        return _filled(sent, order, found) if is_to_rest else _gone(order, found)
    if is_to_rest and found.is_resting:
        canceled = _with(found, OrderOutcome.EXECUTED, "it rested at the venue, and was canceled", "canceled")
        return _gone(order, canceled)
    detail = f"{found.verdict.detail}; the test order does not rest any more"
    return _gone(order, _with(found, found.verdict.outcome, detail))


def _gone(order: LeftOrder, found: Found) -> TakenBack:
    forget(order)
    return TakenBack(found)


def _filled(sent: SentOrder, order: LeftOrder, found: Found) -> TakenBack:
    _keep(sent, order.model_copy(update={"given_up": True, "was_filled": True}))
    return TakenBack(found, _filled_words(order), is_kept=True)


def _not_taken_back(sent: SentOrder, order: LeftOrder, found: Found, said: CancelAnswer) -> TakenBack:
    is_kept = order.order_id is not None or order.was_taken or "order_id" not in names_in(_cancel_path(sent))
    if is_kept:
        left = _left_words(order, said)
        _keep(sent, order.model_copy(update={"given_up": True}))
    else:
        # No check can ever cancel it: the service gave no id. It is reported once.
        left = f"{_resting_words(order, said)}; cancel it there"
        forget(order)
    is_seen = sent.service.orders.steps == "rest_and_cancel" and found.is_resting
    outcome = OrderOutcome.UNKNOWN if is_seen else found.verdict.outcome
    return TakenBack(_with(found, outcome, f"{found.verdict.detail}; {left}"), left, is_kept)


def _with(found: Found, outcome: OrderOutcome, detail: str, ord_status: str | None = None) -> Found:
    status = ord_status or found.verdict.ord_status
    return found._replace(verdict=found.verdict._replace(outcome=outcome, detail=detail, ord_status=status))


def _may_rest(sent: SentOrder, found: Found) -> bool:
    verdict, status = found.verdict, found.exchange.http_status
    if verdict.outcome is OrderOutcome.BLIND:
        return status not in NO_LOGIN
    return verdict.outcome not in NEVER_RESTS or is_partial(verdict.ord_status, sent.service.orders)


async def _canceled(sent: SentOrder, order: LeftOrder) -> tuple[CancelAnswer, Exchange | None]:
    """Cancel an order, in bounded time; one that the service never took, and does not know, does not rest."""
    try:
        async with asyncio.timeout(TAKE_BACK_S):
            said, answer = await sent.cancel(order.order_id)
    except TimeoutError:
        detail = f"no answer to the cancel in {TAKE_BACK_S:g} s"
        silent = Exchange(method="", url=sent.service.url, fault=Fault.TIMED_OUT, detail=detail)
        return CancelAnswer(detail=detail), silent
    if not said.is_gone and not order.was_taken and answer and answer.http_status in KNOWS_NONE:
        return CancelAnswer(is_gone=True, detail="the service never had it"), answer
    return said, answer


async def _on_the_way_out(sent: SentOrder, order: LeftOrder) -> None:
    """Cancel over a connection of its own: the check that ends takes its own with it."""
    with suppress(CannotAct):
        keep(order.model_copy(update={"given_up": True}))
    ending = asyncio.create_task(_cancel_alone(sent, order))
    await asyncio.wait({ending}, timeout=ON_THE_WAY_OUT_S)


async def _cancel_alone(sent: SentOrder, order: LeftOrder) -> None:
    service = sent.service
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        said, _ = await _canceled(replace(sent, client=client), order)
    if said.is_gone:
        forget(order)


def _keep(sent: SentOrder, order: LeftOrder) -> None:
    """Write an order down; one that is to fill is sent all the same where nothing can be written."""
    try:
        keep(order)
    except CannotAct:
        if sent.service.orders.steps == "rest_and_cancel":
            raise


def _cancel_path(sent: SentOrder) -> str:
    cancel = sent.service.orders.cancel
    return cancel.path if cancel else ""


def _left_words(order: LeftOrder, said: CancelAnswer) -> str:
    return f"{_resting_words(order, said)}; cancel it there, then remove {place_of(order)}"


def _resting_words(order: LeftOrder, said: CancelAnswer) -> str:
    return f"{_named(order)} may rest at the venue ({said.detail})"


def _filled_words(order: LeftOrder) -> str:
    return (
        f"{_named(order)} was filled, though it was to rest: its position is open; close it, raise the distance of its "
        f"limit price from the market, then remove {place_of(order)}"
    )


def _named(order: LeftOrder) -> str:
    return f"TEST ORDER {order.client_order_id} of {order.sent_at:%Y-%m-%d %H:%M:%SZ}"
