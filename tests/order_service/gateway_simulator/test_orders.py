"""What a healthy venue answers."""

import contextlib
import json
from collections.abc import Callable

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_service.gateway_simulator.venue_order import MalformedOrder, Order, parse_order
from tests.order_service.gateway_simulator.gateway_process import Gateway, order

pytestmark = pytest.mark.live
SILENCE = b'{"fault":"silence"}'


def test_a_market_order_is_filled_whole(gateway: Gateway) -> None:
    """A healthy venue fills, so that anything else points to a fault."""
    answer = gateway.ask("POST", "/orders", order("whole", quantity="7.5"))

    execution = answer.document
    assert (answer.status, execution["exec_type"], execution["ord_status"]) == (200, "trade", "filled")
    assert (execution["last_qty"], execution["cum_qty"], execution["leaves_qty"]) == ("7.5", "7.5", "0.0")
    assert execution["avg_px"] == execution["last_px"]
    assert execution["reject"] is None
    assert gateway.ask("GET", "/orders/whole").document == execution


def test_a_symbol_trades_at_one_price_everywhere(gateway: Gateway, start: Callable[..., Gateway]) -> None:
    """A price that differs between two runs would look like a fault of the service."""
    other = start("XNYS")

    here = gateway.ask("POST", "/orders", order("price", symbol="MSFT")).document
    there = other.ask("POST", "/orders", order("price", symbol="MSFT")).document

    assert here["last_px"] == there["last_px"]


def test_a_limit_order_trades_at_its_limit(gateway: Gateway) -> None:
    """A limit is a promise to the desk; the venue keeps it to the digit."""
    answer = gateway.ask("POST", "/orders", order("limit", order_type="limit", limit_price="101.25"))

    assert answer.document["last_px"] == "101.25"


def test_a_second_post_of_an_id_books_nothing_and_is_counted(gateway: Gateway) -> None:
    """The count is the proof that the service never sends an order twice."""
    first = gateway.ask("POST", "/orders", order("twice")).document
    second = gateway.ask("POST", "/orders", order("twice")).document

    assert second["exec_type"] == "rejected"
    assert second["reject"]["code"] == "DUPLICATE_CL_ORD_ID"
    assert gateway.booked()["twice"]["received_count"] == 2
    assert gateway.ask("GET", "/orders/twice").document == first


def test_an_order_never_received_is_unknown(gateway: Gateway) -> None:
    """Not received is proof for the reconciler; it must not look like any other 404."""
    answer = gateway.ask("GET", "/orders/never")

    assert (answer.status, answer.document["error"]["code"]) == (404, "UNKNOWN_ORDER")


def test_a_class_the_venue_does_not_trade_is_rejected(gateway: Gateway) -> None:
    """A wrong route shows as a venue reject with a code, as it would at a real venue."""
    answer = gateway.ask("POST", "/orders", order("class", asset_class="crypto", symbol="BTC-USD"))

    assert answer.document["reject"]["code"] == "UNSUPPORTED_ASSET_CLASS"


def test_an_open_order_can_be_canceled_once(gateway: Gateway) -> None:
    """Cancels work while trading is halted, so the venue side must tell open from done."""
    gateway.break_with("ack_without_fill")
    gateway.ask("POST", "/orders", order("open"))

    first, second = (gateway.ask("DELETE", "/orders/open") for _ in range(2))
    unknown = gateway.ask("DELETE", "/orders/never")

    assert (first.status, first.document["ord_status"], first.document["leaves_qty"]) == (200, "canceled", "0")
    assert (second.status, second.document["error"]["code"]) == (409, "ORDER_DONE")
    assert (unknown.status, unknown.document["error"]["code"]) == (404, "UNKNOWN_ORDER")


def test_a_filled_order_cannot_be_canceled(gateway: Gateway) -> None:
    """What traded stays traded."""
    gateway.ask("POST", "/orders", order("done"))

    assert gateway.ask("DELETE", "/orders/done").status == 409


def test_answers_carry_the_venue_clock(gateway: Gateway) -> None:
    """Triage compares clocks by this header."""
    assert "date" in gateway.ask("GET", "/health").headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"quantity": "Infinity"},
        {"quantity": None},
        {"side": "hold"},
        {"asset_class": "bond"},
        {"symbol": ""},
        {"client_order_id": 7},
        {"limit_price": "-3"},
    ],
)
def test_a_malformed_order_is_not_booked(gateway: Gateway, wrong: dict[str, object]) -> None:
    """A 4xx means never booked; the service relies on it to call an order denied."""
    answer = gateway.ask("POST", "/orders", {**order("malformed"), **wrong})

    field = next(iter(wrong))
    assert (answer.status, answer.document["error"]["code"]) == (400, "MALFORMED_ORDER")
    assert answer.document["error"]["message"].startswith(field)
    assert "malformed" not in gateway.booked()


def test_a_body_beyond_the_limit_is_refused(gateway: Gateway) -> None:
    """A venue that reads without bound could be stopped by one client."""
    assert gateway.ask("POST", "/orders", b"[" * 100_000).status == 413


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    """Any bytes end as an order or as a named refusal."""
    with contextlib.suppress(MalformedOrder):
        assert isinstance(parse_order(body), Order)


def test_one_gateway_carries_two_thousand_orders_a_second(start: Callable[..., Gateway]) -> None:
    """The venue must not be the part that a benchmark of the service measures."""
    gateway = start()
    process = psutil.Process(gateway.process.pid)

    with gateway.connect() as connection:
        before = sum(process.cpu_times()[:2])
        for number in range(1000):
            connection.ask("POST", "/orders", order(f"load-{number}"))
        spent_s = sum(process.cpu_times()[:2]) - before

    assert spent_s / 1000 <= 0.0005


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Host": "evil.example"}, 421),
        ({"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_web_page_neither_trades_nor_switches_a_fault(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    """A drill's gateway answers on the loopback, where every page of a browser reaches it."""
    body = json.dumps(order("page-1")).encode()

    assert gateway.sent_with(headers, (gateway.port, "POST", "/orders"), body) == status
    assert gateway.sent_with(headers, (gateway.admin_port, "PUT", "/faults"), SILENCE) == status
    assert gateway.ask("GET", "/orders/page-1").status == 404
