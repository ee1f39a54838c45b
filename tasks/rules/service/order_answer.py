"""Judge the answer to a test order by a service's own description (§1.3): its words, and where they stand.

An order is *executed* only where the status is a word of a fill, the execution is there, and nothing in the answer
says otherwise: a quantity of nothing, a reject beside it, another order's id, another status in the execution itself.
"""

from typing import Any, NamedTuple

from tasks.model.probes.control import printable_line
from tasks.model.probes.fix_words import Meaning, Word, exec_type, ord_status, plain_word, status_word
from tasks.model.probes.orders import NOW_OR_NEVER
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.model.service.order_settings import MEANINGS, OrderSettings
from tasks.rules.probes.synthetic_result import (
    OrderVerdict,
    known_words,
    quantity_of,
    rejected_verdict,
    verdict_of_fault,
)
from tasks.rules.service.expression import NOT_JSON, document_of, holds, value_at, word_at
from tasks.rules.service.order_identity import AskedOrder, why_not_ours

STATUS_LIMIT_COUNT = 60
# FIX's names and tags inside an execution block, as `plain_word` leaves them.
_QUANTITIES = frozenset(
    {"lastqty", "cumqty", "lastshares", "lastquantity", "cumquantity", "filledqty", "filledquantity", "32", "14"}
)
_REJECTS = frozenset({"reject", "rejectreason", "rejectcode", "ordrejreason", "103"})
_PARTLY, _GONE = frozenset({"partially_filled", "partial_fill"}), frozenset({"canceled", "expired"})


class CancelAnswer(NamedTuple):
    """What an answer to a cancel proves: that nothing of the order rests any more, and that some of it was filled."""

    is_gone: bool = False
    is_filled: bool = False
    detail: str = ""


class _Said(NamedTuple):
    status: object
    words: tuple[Word | None, ...]
    execution: object
    gateway: str | None
    code: str | None
    text: str | None


def judge_described(
    exchange: Exchange, orders: OrderSettings, asked: AskedOrder, *, market_open: bool | None = None
) -> OrderVerdict:
    """Name the outcome of one test order by the words of its service's description.

    Runbook: §1.3 Verify order delivery.
    Errors: none; what the description does not say is unknown, and never a fill.
    """
    broken = verdict_of_fault(exchange)
    if broken is not None:
        is_lost = asked.is_later and broken.outcome is not OrderOutcome.BLIND
        return broken._replace(outcome=OrderOutcome.UNKNOWN) if is_lost else broken
    document = document_of(exchange.body)
    said = _read(document, orders)
    if not _is_success(exchange):
        return _judge_refusal(exchange, said, asked, market_open=market_open)
    if document is NOT_JSON:
        return OrderVerdict(OrderOutcome.MALFORMED, f"http_status={exchange.http_status}, no JSON")
    if why := why_not_ours(exchange, document, orders, asked):
        return OrderVerdict(OrderOutcome.UNKNOWN, why, said.gateway)
    return _judge_words(document, orders, said, asked, market_open=market_open)


def rests(exchange: Exchange, orders: OrderSettings, asked: AskedOrder) -> bool:
    """Say whether an answer shows our order taken and resting: with a word of that, and none that says otherwise."""
    document = document_of(exchange.body)
    if not _is_success(exchange) or document is NOT_JSON or why_not_ours(exchange, document, orders, asked):
        return False
    said = _read(document, orders)
    meanings = {word[1] if word else None for word in said.words} - {Meaning.SAYS_NOTHING}
    return meanings == {Meaning.WORKING} and not any(_quantities(document, orders, said.execution))


def judge_cancel(exchange: Exchange, orders: OrderSettings, asked: AskedOrder) -> CancelAnswer:
    """Say whether an answer to a cancel, or a later one, proves that our order no longer rests on a book.

    Errors: none. It does by `done_when`, or by a status of an end; and where all was filled, nothing rests.
    """
    document = document_of(exchange.body)
    if not _is_success(exchange) or document is NOT_JSON:
        told = exchange.detail or f"http_status={exchange.http_status}"
        return CancelAnswer(detail=f"the cancel is not proven: {told}")
    if why := why_not_ours(exchange, document, orders, asked, needs_id=False):
        return CancelAnswer(detail=why)
    said = _read(document, orders)
    name, meaning = said.words[0] or ("", None)
    is_filled = meaning is Meaning.FILLED or any(_quantities(document, orders, said.execution))
    done = holds(orders.cancel.done_when, document) if orders.cancel else None
    # A reject in the answer to the cancel itself may be the cancel's.
    has_ended = name in _GONE or (meaning is Meaning.REJECTED and asked.is_later)
    all_filled = meaning is Meaning.FILLED and not is_partial(name, orders)
    is_gone = all_filled or done is True or (done is None and has_ended)
    shown = printable_line(str(said.status)[:STATUS_LIMIT_COUNT])
    return CancelAnswer(is_gone, is_filled, f"status={shown}" if is_gone else f"not canceled yet: status={shown}")


def is_partial(ord_status: str | None, orders: OrderSettings) -> bool:
    """Say whether a status is that of an order of which a part still rests."""
    return ord_status in _PARTLY or ord_status in {plain_word(word) for word in orders.partially_filled}


def _is_success(exchange: Exchange) -> bool:
    status = exchange.http_status
    return exchange.fault is Fault.NONE and not exchange.blind and status is not None and 200 <= status < 300


def order_id_of(exchange: Exchange, orders: OrderSettings) -> str | None:
    """Read the service's own id of an order, whole or not at all: part of an id is another order's."""
    found = value_at(orders.order_id, document_of(exchange.body)) if orders.order_id else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found) if 0 < len(str(found)) <= 200 else None


def meaning_of(value: object, orders: OrderSettings) -> Word | None:
    """Read a status: the description's own words first, then FIX's; None for a word on no list."""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > STATUS_LIMIT_COUNT:
        return None
    plain = plain_word(str(value))
    own = {plain_word(word): MEANINGS[name] for name, words in orders.own_words.items() for word in words}
    known = status_word(value)
    if plain in own:
        return (known[0] if known and known[1] is own[plain] else plain, own[plain])
    return known


def _read(document: Any, orders: OrderSettings) -> _Said:
    status = value_at(orders.status, document)
    words = [meaning_of(status, orders)]
    if orders.exec_type:
        written = value_at(orders.exec_type, document)
        words.append(exec_type(written) or meaning_of(written, orders))
    return _Said(
        status=status,
        words=tuple(words),
        execution=value_at(orders.execution, document),
        gateway=word_at(orders.gateway, document),
        code=word_at(orders.reject_code, document),
        text=word_at(orders.reject_text, document, 200),
    )


def _judge_words(
    document: Any, orders: OrderSettings, said: _Said, asked: AskedOrder, *, market_open: bool | None
) -> OrderVerdict:
    shown = printable_line(str(said.status)[:STATUS_LIMIT_COUNT])
    name = said.words[0][0] if said.words[0] else None
    unknown = OrderVerdict(OrderOutcome.UNKNOWN, f"status={shown}", said.gateway, said.code, name)
    if said.status is None:
        outcome = OrderOutcome.NO_EXECUTION if orders.poll else OrderOutcome.UNKNOWN
        return unknown._replace(outcome=outcome, detail=f"no status at {orders.status}")
    meanings = {word[1] if word else None for word in said.words} - {Meaning.SAYS_NOTHING}
    if None in meanings or not meanings:
        return unknown._replace(detail=f"status={shown} is on no list, and proves nothing")
    if Meaning.FILLED in meanings:
        return _judge_fill(document, orders, said, unknown, meanings)
    if Meaning.REJECTED in meanings:
        if any(_quantities(document, orders, said.execution)):
            return unknown._replace(detail=f"status={shown} beside a quantity that was filled")
        return rejected_verdict(unknown, said.text, market_open=market_open)
    return _judge_end(said, asked, unknown, meanings)


def _judge_end(said: _Said, asked: AskedOrder, unknown: OrderVerdict, meanings: set[Meaning | None]) -> OrderVerdict:
    """Judge an order that was taken and not filled: it rests, or is over, as "fill now, or not at all" asks for."""
    if Meaning.ENDED not in meanings:
        return unknown._replace(outcome=OrderOutcome.NO_EXECUTION, detail=f"accepted and not filled: {unknown.detail}")
    meant = asked.time_in_force.strip().lower() in NOW_OR_NEVER and _is_there(said.execution)
    outcome = OrderOutcome.EXECUTED if meant else OrderOutcome.REJECTED
    return unknown._replace(outcome=outcome, detail=f"the venue ended it without a fill: {unknown.detail}")


def _judge_fill(
    document: Any, orders: OrderSettings, said: _Said, unknown: OrderVerdict, meanings: set[Meaning | None]
) -> OrderVerdict:
    if meanings != {Meaning.FILLED}:
        return unknown._replace(detail=f"{unknown.detail}, and exec_type says otherwise")
    if said.code is not None:
        return unknown._replace(detail=f"{unknown.detail} beside a reject code={said.code}")
    if not _is_there(said.execution):
        return unknown._replace(outcome=OrderOutcome.NO_EXECUTION, detail=f"{unknown.detail} without an execution")
    if fault := _contradiction(said.execution):
        return unknown._replace(detail=f"{unknown.detail}, and its execution says {fault}")
    quantities = _quantities(document, orders, said.execution)
    if (orders.quantity and not quantities) or None in quantities or (quantities and not any(quantities)):
        return unknown._replace(detail=f"{unknown.detail} without a quantity that was filled")
    return unknown._replace(outcome=OrderOutcome.EXECUTED)


def _judge_refusal(exchange: Exchange, said: _Said, asked: AskedOrder, *, market_open: bool | None) -> OrderVerdict:
    """Judge an answer that is no success: denied with a code, rejected by its status, or an error."""
    status = exchange.http_status
    detail = " ".join((f"http_status={status}", *known_words(code=said.code, text=said.text)))
    verdict = OrderVerdict(OrderOutcome.ERROR, detail, said.gateway, said.code)
    meaning = said.words[0][1] if said.words[0] else None
    if asked.is_later or meaning in {Meaning.FILLED, Meaning.WORKING}:
        return verdict._replace(outcome=OrderOutcome.UNKNOWN)
    if meaning is Meaning.REJECTED and isinstance(said.status, str) and said.words[0]:
        return rejected_verdict(verdict._replace(ord_status=said.words[0][0]), said.text, market_open=market_open)
    if status in {401, 407} or (status == 403 and said.code is None):
        return verdict._replace(outcome=OrderOutcome.BLIND, detail=f"could not check: {detail}; it refuses our login")
    denied = said.code is not None and status in {*range(400, 500), 503}
    return verdict._replace(outcome=OrderOutcome.DENIED if denied else OrderOutcome.ERROR)


def _is_there(execution: object) -> bool:
    return execution not in (None, False, 0, "", [], {})


def _quantities(document: Any, orders: OrderSettings, execution: object) -> list[Any]:
    """List every quantity that the answer gives for the fill; None for one that cannot be read."""
    found = value_at(orders.quantity, document) if orders.quantity else None
    described = found if isinstance(found, list) else [found]
    named = (value for block in _blocks(execution) for key, value in block.items() if plain_word(key) in _QUANTITIES)
    return [quantity_of(one) for one in (*described, *named) if one is not None]


def _contradiction(execution: object) -> str:
    """Say where an execution itself is no fill, in FIX's own names and tags."""
    for block in _blocks(execution):
        for key, value in block.items():
            name = plain_word(key)
            word = {"exectype": exec_type, "150": exec_type, "ordstatus": ord_status, "39": ord_status}.get(name)
            known = word(value) if word else None
            if known is not None and known[1] in {Meaning.REJECTED, Meaning.ENDED}:
                return f"{key}={known[0]}"
            if name in _REJECTS and value not in (None, False, 0, ""):
                return f"{key} is set"
    return ""


def _blocks(execution: object) -> list[dict[str, Any]]:
    return [one for one in (execution if isinstance(execution, list) else [execution]) if isinstance(one, dict)]
