"""Judge the answer to one synthetic order (§1.3)."""

from typing import Any, NamedTuple

from tasks.model.looks import Exchange, Fault, OrderOutcome
from tasks.rules.json_values import number_of, parse_object, table_of, text_of

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
    match Fault.CLIENT if exchange.blind else exchange.fault:
        case Fault.NONE:
            return _judge_answer(exchange, market_open=market_open)
        case Fault.REFUSED | Fault.UNREACHABLE:
            return OrderVerdict(OrderOutcome.NOT_REACHED, exchange.detail)
        case Fault.TIMED_OUT if exchange.http_status is None:
            return OrderVerdict(OrderOutcome.TIMED_OUT, exchange.detail)
        case Fault.TIMED_OUT | Fault.CUT_OFF:
            return OrderVerdict(OrderOutcome.UNKNOWN, f"the answer ended early: {exchange.detail}")
        case Fault.TOO_LARGE | Fault.MALFORMED | Fault.BAD_STATUS:
            return OrderVerdict(OrderOutcome.MALFORMED, exchange.detail)
        case Fault.CLIENT:
            return OrderVerdict(OrderOutcome.BLIND, exchange.detail)


def _judge_answer(exchange: Exchange, *, market_open: bool | None) -> OrderVerdict:
    table = parse_object(exchange.body)
    gateway = text_of(table, "gateway", 100)
    if table is None:
        return OrderVerdict(OrderOutcome.MALFORMED, f"http_status={exchange.http_status}, no JSON object")
    if exchange.http_status == 202:
        code = text_of(table_of(table, "error"), "code", 100) or text_of(table, "error", 100)
        return OrderVerdict(OrderOutcome.UNKNOWN, "sent, and no usable answer came", gateway, code)
    if exchange.http_status in {200, 201}:
        return _judge_execution(table, gateway, market_open=market_open)
    return _judge_error(exchange, table, gateway)


def _judge_execution(table: dict[str, Any], gateway: str | None, *, market_open: bool | None) -> OrderVerdict:
    if table.get("execution") is None:
        return OrderVerdict(OrderOutcome.NO_EXECUTION, "accepted without an execution block", gateway)
    execution = table_of(table, "execution")
    exec_type, ord_status = text_of(execution, "exec_type", 40), text_of(execution, "ord_status", 40)
    if execution is None or exec_type is None or ord_status is None:
        return OrderVerdict(OrderOutcome.MALFORMED, "execution block without exec_type and ord_status", gateway)
    gateway = gateway or text_of(execution, "gateway", 100)
    latency_ms = number_of(execution, "latency_ms")
    reject = table_of(execution, "reject")
    if reject is None and "rejected" not in {exec_type, ord_status}:
        detail = f"exec_type={exec_type} ord_status={ord_status}"
        return OrderVerdict(OrderOutcome.EXECUTED, detail, gateway, None, ord_status, latency_ms)
    code = text_of(reject, "code", 100)
    expected = code in TEST_REJECT_CODES or (code in MARKET_CLOSED_CODES and market_open is not True)
    outcome = OrderOutcome.REJECTED_AS_EXPECTED if expected else OrderOutcome.REJECTED
    detail = f"reject code={code} text={text_of(reject, 'text', 200)}"
    return OrderVerdict(outcome, detail, gateway, code, ord_status, latency_ms)


def _judge_error(exchange: Exchange, table: dict[str, Any], gateway: str | None) -> OrderVerdict:
    error = table_of(table, "error")
    code = text_of(error, "code", 100)
    gateway = gateway or text_of(error, "gateway", 100)
    denied = code is not None and code != "INTERNAL_ERROR" and exchange.http_status in {*range(400, 500), 503}
    outcome = OrderOutcome.DENIED if denied else OrderOutcome.ERROR
    message = text_of(error, "message", 200)
    return OrderVerdict(outcome, f"http_status={exchange.http_status} code={code} message={message}", gateway, code)
