"""Judging the answer to a synthetic order."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.rules.probes.synthetic_result import judge_order

FILLED = {"exec_type": "trade", "ord_status": "filled", "reject": None}


def answer(status: int | None, body: object, fault: Fault = Fault.NONE) -> Exchange:
    """One answer of `POST /orders`."""
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return Exchange(method="POST", url="http://service/orders", http_status=status, body=text, fault=fault)


def rejected(code: str) -> dict[str, object]:
    """An order that its venue rejected."""
    execution = {"exec_type": "rejected", "ord_status": "rejected", "reject": {"code": code, "text": "no"}}
    return {"gateway": "XNAS", "execution": execution}


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (answer(201, {"gateway": "XNAS", "execution": FILLED}), OrderOutcome.EXECUTED),
        (answer(201, {"gateway": "XNAS"}), OrderOutcome.NO_EXECUTION),
        (answer(201, {"execution": None}), OrderOutcome.NO_EXECUTION),
        (answer(201, {"execution": "yes"}), OrderOutcome.MALFORMED),
        (answer(201, {"execution": {}}), OrderOutcome.MALFORMED),
        (answer(201, {"execution": {"exec_type": 1, "ord_status": True}}), OrderOutcome.MALFORMED),
        (answer(201, '{"execution": {"exec_ty'), OrderOutcome.MALFORMED),
        (
            answer(201, '{"execution": {"exec_type": "rejected", "exec_type": "trade", "ord_status": "filled"}}'),
            OrderOutcome.UNKNOWN,
        ),
        (answer(201, "[" * 100_000), OrderOutcome.MALFORMED),
        (answer(201, rejected("PRICE_BAND")), OrderOutcome.REJECTED),
        (answer(202, {"execution": None, "status": "unknown"}), OrderOutcome.UNKNOWN),
        (answer(503, {"error": {"code": "GATEWAY_UNREACHABLE"}}), OrderOutcome.DENIED),
        (answer(422, {"error": {"code": "INVALID_ORDER"}}), OrderOutcome.DENIED),
        (answer(500, {"error": {"code": "INTERNAL_ERROR"}}), OrderOutcome.ERROR),
        (answer(404, "not here"), OrderOutcome.MALFORMED),
        (answer(None, "", Fault.TIMED_OUT), OrderOutcome.TIMED_OUT),
        (answer(201, "{", Fault.TIMED_OUT), OrderOutcome.UNKNOWN),
        (answer(None, "", Fault.CUT_OFF), OrderOutcome.UNKNOWN),
        (answer(0, "", Fault.REFUSED), OrderOutcome.NOT_REACHED),
        (answer(0, "", Fault.CLIENT), OrderOutcome.BLIND),
    ],
)
def test_denied_rejected_and_unknown_stay_apart(exchange: Exchange, outcome: OrderOutcome) -> None:
    """What the desk may do next depends on which of them it was."""
    assert judge_order(exchange).outcome is outcome


def test_a_closed_market_that_says_so_is_as_expected() -> None:
    """At night the venue's reject proves that the order got there."""
    assert judge_order(answer(201, rejected("MARKET_CLOSED"))).outcome is OrderOutcome.REJECTED_AS_EXPECTED


def test_a_venue_that_says_closed_in_market_hours_rejects() -> None:
    """During the session the same words are a fault of the venue."""
    verdict = judge_order(answer(201, rejected("MARKET_CLOSED")), market_open=True)

    assert verdict.outcome is OrderOutcome.REJECTED
    assert verdict.code == "MARKET_CLOSED"


@given(
    status=st.integers(100, 599),
    body=st.text(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["execution", "error", "code", "gateway", "reject", "exec_type", "ord_status"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda value: orjson.dumps(value).decode()),
)
def test_no_answer_raises(status: int, body: str) -> None:
    """Whatever a service answers, the check ends in an outcome."""
    assert isinstance(judge_order(answer(status, body)).outcome, OrderOutcome)
