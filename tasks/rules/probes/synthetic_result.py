"""Judge the answer to one synthetic order (§1.3)."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from tasks.model.probes.fix_words import Meaning, exec_type, ord_status
from tasks.model.probes.orders import NOW_OR_NEVER
from tasks.model.probes.probes import Exchange, Fault, Observation, OrderOutcome
from tasks.rules.formats.json_values import doubled_key, line_of, number_of, parse_object, table_of

MARKET_CLOSED_CODES = frozenset({"MARKET_CLOSED", "EXCHANGE_CLOSED", "SESSION_CLOSED", "OUTSIDE_TRADING_HOURS"})


# Venues that take no test order say so by design; anything else that they reject is a fault.
TEST_REJECT_CODES = frozenset({"TEST_SYMBOL", "TEST_SYMBOL_REJECTED", "TEST_SYMBOL_NOT_TRADED", "TEST_ORDER_REJECTED"})


class OrderVerdict(NamedTuple):
    """What became of the order, at which gateway, with which code. Units: `gateway_latency_ms` of the round trip."""

    outcome: OrderOutcome
    detail: str
    gateway: str | None = None
    code: str | None = None
    ord_status: str | None = None
    gateway_latency_ms: float | None = None


def judge_order(exchange: Exchange, *, market_open: bool | None = None) -> OrderVerdict:
    """Name the outcome of one synthetic order: denied, rejected and unknown stay apart.

    Runbook: §1.3 Verify order delivery.
    Errors: none; a venue that rejects because its market is closed has answered as it should.
    """
    broken = verdict_of_fault(exchange)
    return broken if broken is not None else _judge_answer(exchange, market_open=market_open)


def verdict_of_fault(exchange: Exchange) -> OrderVerdict | None:
    """Name what became of an order by how its exchange went wrong; None where an answer came."""
    match Fault.CLIENT if exchange.blind else exchange.fault:
        case Fault.NONE:
            return None
        case Fault.REFUSED | Fault.UNREACHABLE:
            return OrderVerdict(OrderOutcome.NOT_REACHED, exchange.detail)
        case Fault.TIMED_OUT if exchange.http_status is None:
            return OrderVerdict(OrderOutcome.TIMED_OUT, exchange.detail)
        case Fault.TIMED_OUT | Fault.CUT_OFF:
            return OrderVerdict(OrderOutcome.UNKNOWN, f"the answer ended early: {exchange.detail}")
        case Fault.TOO_LARGE | Fault.MALFORMED | Fault.BAD_STATUS:
            return OrderVerdict(OrderOutcome.MALFORMED, exchange.detail)
        case Fault.CLIENT | Fault.TLS:
            return OrderVerdict(OrderOutcome.BLIND, exchange.detail)


def _judge_answer(exchange: Exchange, *, market_open: bool | None) -> OrderVerdict:
    table = parse_object(exchange.body)
    gateway = line_of(table, "gateway", 100)
    if table is None:
        return OrderVerdict(OrderOutcome.MALFORMED, f"http_status={exchange.http_status}, no JSON object")
    if exchange.http_status == 202:
        code = line_of(table_of(table, "error"), "code", 100) or line_of(table, "error", 100)
        return OrderVerdict(OrderOutcome.UNKNOWN, "sent, and no usable answer came", gateway, code)
    if exchange.http_status in {200, 201}:
        if twice := doubled_key(exchange.body):
            return OrderVerdict(OrderOutcome.UNKNOWN, f"the answer has {twice} twice in one object", gateway)
        other = _of_another(exchange, table)
        if other:
            return OrderVerdict(OrderOutcome.UNKNOWN, f"the answer is of another order: {other}", gateway)
        return _judge_execution(exchange, table, gateway, market_open=market_open)
    return _judge_error(exchange, table, gateway)


def _of_another(exchange: Exchange, table: dict[str, Any]) -> str:
    """Say where an answer names another order than the one that was sent: its fill proves nothing of ours."""
    sent = parse_object(exchange.request_body) or {}
    for key in ("client_order_id", "asset_class"):
        asked = line_of(sent, key, 100)
        for said in (line_of(table, key, 100), line_of(table_of(table, "execution"), key, 100)):
            if asked and said and said.lower() != asked.lower():
                return f"{key}={said}, expected {asked}"
    return ""


def _judge_execution(
    exchange: Exchange, table: dict[str, Any], gateway: str | None, *, market_open: bool | None
) -> OrderVerdict:
    if table.get("execution") is None:
        return OrderVerdict(OrderOutcome.NO_EXECUTION, "accepted without an execution block", gateway)
    execution = table_of(table, "execution")
    words = (_written(execution, "exec_type"), _written(execution, "ord_status"))
    if execution is None or None in words:
        return OrderVerdict(OrderOutcome.MALFORMED, "execution block without exec_type and ord_status", gateway)
    gateway = gateway or line_of(execution, "gateway", 100)
    reject = table_of(execution, "reject")
    status = ord_status(words[1])
    ended = OrderVerdict(
        OrderOutcome.UNKNOWN,
        f"exec_type={words[0]} ord_status={words[1]}",
        gateway,
        line_of(reject, "code", 100),
        status[0] if status else words[1],
        number_of(execution, "latency_ms"),
    )
    match execution_says(execution):
        case Meaning.FILLED | Meaning.WORKING:
            return ended._replace(outcome=OrderOutcome.EXECUTED, code=None)
        case Meaning.REJECTED:
            return rejected_verdict(ended, line_of(reject, "text", 200), market_open=market_open)
        case Meaning.ENDED:
            detail = f"the venue ended it without a fill: {ended.detail}"
            # That is what "fill now, or not at all" asks for.
            meant = _asked_for_now(exchange)
            return ended._replace(outcome=OrderOutcome.EXECUTED if meant else OrderOutcome.REJECTED, detail=detail)
        case _:
            return ended._replace(detail=f"the words of its execution prove nothing: {ended.detail}")


def execution_says(execution: dict[str, Any]) -> Meaning | None:
    """Say what an execution block proves; None where it proves nothing, or contradicts itself.

    Steps: 1. a word on no list proves nothing. 2. a reject beside a fill contradicts it. 3. a fill has a quantity,
    where one is written at all, and both words say so where none is.
    """
    first, second = exec_type(execution.get("exec_type")), ord_status(execution.get("ord_status"))
    if first is None or second is None:
        return None
    meanings = {first[1], second[1]} - {Meaning.SAYS_NOTHING}
    if execution.get("reject") is not None:
        meanings.add(Meaning.REJECTED)
    if Meaning.FILLED in meanings:
        return _filled(execution, meanings)
    order = (Meaning.REJECTED, Meaning.ENDED, Meaning.WORKING)
    return next((one for one in order if one in meanings), None)


def _filled(execution: dict[str, Any], meanings: set[Meaning]) -> Meaning | None:
    written = [execution[key] for key in ("last_qty", "cum_qty") if execution.get(key) is not None]
    quantities = [quantity_of(one) for one in written]
    if Meaning.REJECTED in meanings or None in quantities:
        return None
    if quantities:
        return Meaning.FILLED if any(one is not None and one > 0 for one in quantities) else None
    return Meaning.FILLED if meanings == {Meaning.FILLED} else None


def quantity_of(value: object) -> Decimal | None:
    """Read a quantity; None for what is no finite number, or less than nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value)[:60])
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None


def _written(execution: dict[str, Any] | None, key: str) -> str | None:
    value = (execution or {}).get(key)
    return None if isinstance(value, bool) or not isinstance(value, str | int) else str(value)[:40]


def _asked_for_now(exchange: Exchange) -> bool:
    told = line_of(parse_object(exchange.request_body), "time_in_force", 40) or ""
    return told.strip().lower() in NOW_OR_NEVER


def rejected_verdict(ended: OrderVerdict, text: str | None, *, market_open: bool | None) -> OrderVerdict:
    """Name a reject: expected of a venue that takes no test order, or whose market is closed; else a fault."""
    expected = ended.code in TEST_REJECT_CODES or (ended.code in MARKET_CLOSED_CODES and market_open is not True)
    outcome = OrderOutcome.REJECTED_AS_EXPECTED if expected else OrderOutcome.REJECTED
    return ended._replace(outcome=outcome, detail=" ".join(("reject", *known_words(code=ended.code, text=text))))


def known_words(**words: str | None) -> tuple[str, ...]:
    """Write what is known as `name=value`; what an answer does not have is left out."""
    return tuple(f"{name}={value}" for name, value in words.items() if value)


def _judge_error(exchange: Exchange, table: dict[str, Any], gateway: str | None) -> OrderVerdict:
    error = table_of(table, "error")
    code = line_of(error, "code", 100)
    gateway = gateway or line_of(error, "gateway", 100)
    denied = code is not None and code != "INTERNAL_ERROR" and exchange.http_status in {*range(400, 500), 503}
    outcome = OrderOutcome.DENIED if denied else OrderOutcome.ERROR
    message = line_of(error, "message", 200)
    detail = " ".join((f"http_status={exchange.http_status}", *known_words(code=code, message=message)))
    return OrderVerdict(outcome, detail, gateway, code)


def orders_left(observations: Sequence[Observation]) -> tuple[str, ...]:
    """List what test orders of ours left at a venue; what a later check of the run took back is not left any more."""
    last = {order.asset_class: order for order in observations[-1].orders}
    orders = (order for one in observations for order in one.orders if order.left)
    left = (order.left for order in orders if not order.left_is_kept or last.get(order.asset_class, order).left)
    return tuple(dict.fromkeys(left))
