"""What the answer to a test order says by a service's own description: executed only where it says so."""

import json
from typing import Any

import pytest

from tasks.model.probes.probes import Exchange, OrderOutcome
from tasks.model.service.order_settings import OrderSettings
from tasks.rules.service.order_answer import judge_described, order_id_of
from tasks.rules.service.order_identity import AskedOrder

ID = "synthetic-0123456789abcdef0123456789abcdef"
ASKED = AskedOrder(ID)
DESCRIBED: dict[str, Any] = {
    "execution": "data.order.fills[0]",
    "status": "data.order.state",
    "filled": ["DONE"],
    "accepted": ["WORKING"],
    "rejected": ["KO"],
    "order_id": "data.order.id",
    "reject_code": "data.order.reason.code",
}
FILL = {"execId": "X1", "lastQty": 1, "lastPx": "10"}
FIX_SHOP = OrderSettings(execution="@", status='"39"', exec_type='"150"', reject_code='"103"')


def described(**more: Any) -> OrderSettings:
    """The description of a Spring-like service."""
    return OrderSettings.model_validate({**DESCRIBED, **more})


def body(state: object = "DONE", **order: Any) -> str:
    """Its answer."""
    return json.dumps({"data": {"order": {"id": "O1", "clOrdId": ID, "state": state, "fills": [FILL], **order}}})


def outcome(
    text: str, status: int = 201, orders: OrderSettings | None = None, asked: AskedOrder = ASKED
) -> OrderOutcome:
    """What an answer comes to."""
    exchange = Exchange(method="POST", url="http://127.0.0.1", http_status=status, body=text)
    return judge_described(exchange, orders or described(), asked).outcome


def test_a_fill_in_the_services_own_words_is_a_fill() -> None:
    """The firm says what its words mean, and FIX's hold besides."""
    for word in ("DONE", "done", " Done ", "FILLED", "partially filled", "2"):
        assert outcome(body(word)) is OrderOutcome.EXECUTED


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "KO"}, OrderOutcome.UNKNOWN),
        ({"state": "KO", "fills": []}, OrderOutcome.REJECTED),
        ({"state": "WORKING", "fills": []}, OrderOutcome.NO_EXECUTION),
        ({"state": "WORKING"}, OrderOutcome.NO_EXECUTION),
        ({"state": "DONE", "fills": []}, OrderOutcome.NO_EXECUTION),
        ({"state": "DONE", "fills": [{}]}, OrderOutcome.NO_EXECUTION),
        ({"state": "DONE", "fills": [None]}, OrderOutcome.NO_EXECUTION),
        ({"state": "OK"}, OrderOutcome.UNKNOWN),
        ({"state": None}, OrderOutcome.UNKNOWN),
        ({"state": True}, OrderOutcome.UNKNOWN),
        ({"state": ["DONE"]}, OrderOutcome.UNKNOWN),
        ({"state": "DONE" + " " * 80 + "NOT"}, OrderOutcome.UNKNOWN),
        ({"state": "NOT DONE"}, OrderOutcome.UNKNOWN),
        ({"reason": {"code": "RISK"}}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "lastQty": 0}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "lastQty": "0.000", "cumQty": 0}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "lastQty": "NaN"}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "lastQty": -1}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "execType": "Canceled"}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "OrdStatus": "8"}]}, OrderOutcome.UNKNOWN),
        ({"fills": [{**FILL, "rejectReason": "credit"}]}, OrderOutcome.UNKNOWN),
        ({"clOrdId": "another"}, OrderOutcome.UNKNOWN),
        ({"state": "CANCELED", "fills": []}, OrderOutcome.REJECTED),
    ],
)
def test_what_says_otherwise_is_no_fill(change: dict[str, Any], expected: OrderOutcome) -> None:
    """The checks of the bundled service's contract hold for every service whose fields can be found."""
    assert outcome(body(**change)) is expected


@pytest.mark.parametrize(("status", "is_filled"), [(199, False), (200, True), (202, True), (299, True), (300, False)])
def test_only_a_success_is_a_fill(status: int, is_filled: bool) -> None:
    """An answer that is none contradicts its own words."""
    assert outcome(body(), status).delivered is is_filled


def test_an_id_that_is_described_has_to_be_ours() -> None:
    """An answer without it may be of any order."""
    orders = described(client_order_id="data.order.clOrdId")

    assert outcome(body(), orders=orders) is OrderOutcome.EXECUTED
    assert outcome(body(clOrdId=ID.upper()), orders=orders) is OrderOutcome.EXECUTED
    assert outcome(body(clOrdId=None), orders=orders) is OrderOutcome.UNKNOWN
    assert outcome(body(clOrdId=7), orders=orders) is OrderOutcome.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        '{"data": {"order": {"id": "O1", "state": "KO", "state": "DONE", "fills": [{"lastQty": 1}]}}}',
        '{"data": {"order": {"id": "O1", "state": "DONE", "fills": [], "fills": [{"lastQty": 1}]}}}',
        '\ufeff{"data": 1, "data": {"order": {"id": "O1", "state": "DONE", "fills": [{"lastQty": 1}]}}}',
    ],
)
def test_an_answer_that_says_two_things_under_one_key_is_no_fill(text: str) -> None:
    """Readers of JSON differ in which of the two counts."""
    assert outcome(text) is OrderOutcome.UNKNOWN


def test_a_later_answer_is_about_the_order_that_was_asked_for() -> None:
    """A list that is sorted otherwise, or a cache, gives another order's fill."""
    later = AskedOrder(ID, order_id="O1", is_later=True)

    assert outcome(body(), 200, asked=later) is OrderOutcome.EXECUTED
    assert outcome(body(id="O2"), 200, asked=later) is OrderOutcome.UNKNOWN
    assert outcome("{}", 404, asked=later) is OrderOutcome.UNKNOWN


def test_a_quantity_that_is_described_has_to_be_there() -> None:
    """A fill of nothing is none."""
    orders = described(quantity="data.order.done")

    assert outcome(body(done="0.5"), orders=orders) is OrderOutcome.EXECUTED
    assert outcome(body(done=0), orders=orders) is OrderOutcome.EXECUTED, "its own fill has a quantity"
    assert outcome(body(fills=[{"at": 1}]), orders=orders) is OrderOutcome.UNKNOWN
    assert outcome(body(done="x"), orders=orders) is OrderOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (422, {"status": 422, "data": {"order": {"reason": {"code": "RISK-17"}}}}, OrderOutcome.DENIED),
        (503, {"data": {"order": {"reason": {"code": "VENUE-1"}}}}, OrderOutcome.DENIED),
        (500, {"data": {"order": {"reason": {"code": "X"}}}}, OrderOutcome.ERROR),
        (400, {}, OrderOutcome.ERROR),
        (404, {}, OrderOutcome.ERROR),
        (302, {}, OrderOutcome.ERROR),
        (401, {}, OrderOutcome.BLIND),
        (403, {}, OrderOutcome.BLIND),
        (403, {"data": {"order": {"reason": {"code": "HALTED"}}}}, OrderOutcome.DENIED),
        (422, {"data": {"order": {"state": "KO"}}}, OrderOutcome.REJECTED),
        (422, {"data": {"order": {"state": "DONE", "fills": [FILL]}}}, OrderOutcome.UNKNOWN),
    ],
)
def test_an_answer_that_is_no_success_is_told_apart(status: int, document: Any, expected: OrderOutcome) -> None:
    """Denied, rejected and unknown are never the same; a login of ours that is refused says nothing of the service."""
    assert outcome(json.dumps(document), status) is expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"150": "F", "39": "2", "32": "1", "14": "1"}, OrderOutcome.EXECUTED),
        ({"150": "F", "39": "2", "32": "0", "14": "0"}, OrderOutcome.UNKNOWN),
        ({"150": "0", "39": "0", "14": "0"}, OrderOutcome.NO_EXECUTION),
        ({"150": "8", "39": "8", "103": "3", "14": "0"}, OrderOutcome.REJECTED),
        ({"150": "8", "39": "2", "14": "1"}, OrderOutcome.UNKNOWN),
        ({"150": "Z", "39": "2", "14": "1"}, OrderOutcome.UNKNOWN),
        ({"150": "F", "39": "2", "32": "1", "11": "another"}, OrderOutcome.UNKNOWN),
        ({"150": "ExecType=F", "39": "OrdStatus.FILLED", "32": "1", "11": ID}, OrderOutcome.EXECUTED),
    ],
)
def test_an_execution_report_in_tags_is_read(report: dict[str, str], expected: OrderOutcome) -> None:
    """A FIX shop's bridge hands on what the venue said."""
    assert outcome(json.dumps({"35": "8", **report}), orders=FIX_SHOP) is expected


@pytest.mark.parametrize(
    ("exec_word", "status", "reject", "expected"),
    [
        ("trade", "ERLEDIGT", None, OrderOutcome.EXECUTED),
        ("F", "filled", None, OrderOutcome.EXECUTED),
        ("erledigt", "erledigt", None, OrderOutcome.EXECUTED),
        ("rejected", "ERLEDIGT", None, OrderOutcome.UNKNOWN),
        ("trade", "ERLEDIGT", {"code": "X"}, OrderOutcome.UNKNOWN),
        ("rejected", "rejected", {"code": "X"}, OrderOutcome.REJECTED),
        ("trade", "weg", None, OrderOutcome.UNKNOWN),
    ],
)
def test_words_of_its_own_alone_are_read_where_the_contract_has_them(
    exec_word: str, status: str, reject: object, expected: OrderOutcome
) -> None:
    """A service that keeps the contract but for its words describes its words."""
    orders = OrderSettings.model_validate({"filled": ["erledigt"]})
    execution = {"exec_type": exec_word, "ord_status": status, "reject": reject, "last_qty": "0" if reject else "1"}
    execution |= {"last_qty": "0", "cum_qty": "0"} if status == "rejected" else {}
    text = json.dumps({"order_id": "O1", "client_order_id": ID, "gateway": "XNAS", "execution": execution})

    assert outcome(text, orders=orders) is expected
    assert outcome('{"error": {"code": "NO_ROUTE", "message": "no"}}', 409, orders) is OrderOutcome.DENIED


QUANTITIES = ["LastQty", "cum_qty", "lastShares", "LAST_QUANTITY", "cumQuantity", "filledQty", "filled-quantity", "32"]
REJECTS = ["reject", "reject_reason", "rejectCode", "OrdRejReason", "103"]
IDS = ["clOrdId", "ClOrdID", "cl_order_id", "client_order_id", "clientOrderId"]


@pytest.mark.parametrize("name", [*QUANTITIES, "14"])
def test_a_quantity_of_nothing_is_read_by_each_of_its_names(name: str) -> None:
    """FIX's names and tags are known wherever an execution is JSON of them."""
    assert outcome(body(fills=[{name: 0}])) is OrderOutcome.UNKNOWN
    assert outcome(body(fills=[{name: 1}])) is OrderOutcome.EXECUTED
    assert outcome(body("KO", fills=[{name: 1}])) is OrderOutcome.UNKNOWN


@pytest.mark.parametrize("name", REJECTS)
def test_a_reject_in_the_execution_is_read_by_each_of_its_names(name: str) -> None:
    """A reject beside a fill contradicts it."""
    assert outcome(body(fills=[{**FILL, name: "7"}])) is OrderOutcome.UNKNOWN
    for none in (None, False, 0, ""):
        assert outcome(body(fills=[{**FILL, name: none}])) is OrderOutcome.EXECUTED


@pytest.mark.parametrize("name", IDS)
def test_another_orders_id_is_read_by_each_of_its_names_wherever_it_stands(name: str) -> None:
    """Its fill proves nothing of ours."""
    for other in ("another", 7):
        assert outcome(body(clOrdId=None, clientInfo={"deep": [{name: other}]})) is OrderOutcome.UNKNOWN
    assert outcome(body(clOrdId=None, list=[{name: "another"}, {name: f" {ID.upper()} "}])) is OrderOutcome.EXECUTED


@pytest.mark.parametrize("tag", ["35", "37", "39", "150"])
def test_the_tag_of_our_id_is_one_only_beside_another_tag(tag: str) -> None:
    """A key `11` alone may be anything."""
    assert outcome(body(fills=[{**FILL, "11": "another", tag: "F"}])) is OrderOutcome.UNKNOWN
    assert outcome(body(fills=[{**FILL, "11": "another"}])) is OrderOutcome.EXECUTED


def test_an_execution_of_several_fills_is_read_whole() -> None:
    """One of them that was busted is no fill."""
    orders = described(execution="data.order.fills")

    assert outcome(body(fills=[{"lastQty": 0}, FILL]), orders=orders) is OrderOutcome.EXECUTED
    assert outcome(body(fills=[FILL, {**FILL, "execType": "H"}]), orders=orders) is OrderOutcome.UNKNOWN
    assert outcome(body(fills=[]), orders=orders) is OrderOutcome.NO_EXECUTION


def test_now_or_never_may_end_without_a_fill() -> None:
    """That is what it asks for; a day order that is canceled at once is a fault."""
    ended = body("CANCELED", fills=[{"lastQty": 0}])

    assert outcome(ended, asked=AskedOrder(ID, " IOC ")) is OrderOutcome.EXECUTED
    assert outcome(body("CANCELED", fills=[]), asked=AskedOrder(ID, "ioc")) is OrderOutcome.REJECTED
    assert outcome(ended) is OrderOutcome.REJECTED


def test_without_a_status_an_answer_is_open_where_it_is_asked_for_later() -> None:
    """A ticket now and the fill later."""
    poll = {"path": "/o/${order_id}"}

    assert outcome('{"ticket": 1}', 202, described(poll=poll)) is OrderOutcome.NO_EXECUTION
    assert outcome('{"ticket": 1}', 202) is OrderOutcome.UNKNOWN


def test_a_verdict_says_what_was_read() -> None:
    """The report shows the word, the code and the gateway."""
    orders = described(reject_text="data.order.reason.text", gateway="data.order.venue")
    text = body("KO", fills=[], venue="XNAS", reason={"code": "MARKET_CLOSED", "text": "too late"})
    exchange = Exchange(method="POST", url="u", http_status=201, body=text)
    shut, is_open = (judge_described(exchange, orders, ASKED, market_open=one) for one in (False, True))

    assert (shut.outcome, is_open.outcome) == (OrderOutcome.REJECTED_AS_EXPECTED, OrderOutcome.REJECTED)
    assert (is_open.gateway, is_open.code, is_open.ord_status) == ("XNAS", "MARKET_CLOSED", "ko")
    assert "too late" in is_open.detail


@pytest.mark.parametrize(
    ("found", "expected"), [("O1", "O1"), (7, "7"), (True, None), (None, None), ("", None), ("x" * 200, "x" * 200)]
)
def test_an_order_id_is_a_word_or_a_number_and_whole(found: object, expected: str | None) -> None:
    """Half of an id is another order's."""
    exchange = Exchange(method="POST", url="u", http_status=201, body=body(id=found))

    assert order_id_of(exchange, described()) == expected
    assert order_id_of(exchange, described(order_id=None)) is None
    assert order_id_of(Exchange(method="P", url="u", body=body(id="x" * 201)), described()) is None
