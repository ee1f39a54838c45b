"""What a broken venue does on the wire."""

import http.client
import json
import re
import socket
import time
from collections.abc import Callable

import pytest

from tests.order_service.gateway_simulator.gateway_process import Gateway, eventually, order

pytestmark = pytest.mark.live

on_linux = pytest.mark.skipif("sys.platform != 'linux'", reason="other kernels refuse when a backlog is full")


def test_refuse_closes_the_port_and_every_connection(gateway: Gateway) -> None:
    """A gateway that is gone takes its sessions along."""
    with gateway.connect() as kept:
        kept.ask("GET", "/health")
        gateway.break_with("refuse")

        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            kept.ask("GET", "/health")
    with pytest.raises(ConnectionRefusedError):
        gateway.ask("GET", "/health")


@on_linux
def test_unreachable_never_answers_a_connect(gateway: Gateway) -> None:
    """A dead network refuses nothing; only the caller's own deadline ends the wait."""
    gateway.break_with("unreachable")

    with pytest.raises(TimeoutError):
        gateway.ask("GET", "/health", timeout_s=0.4)


def test_unreachable_stops_kept_alive_connections_too(gateway: Gateway) -> None:
    """What is sent over a dead network never arrives, also on an old session."""
    with gateway.connect(timeout_s=0.3) as kept:
        kept.ask("GET", "/health")
        gateway.break_with("unreachable")

        with pytest.raises(TimeoutError):
            kept.ask("POST", "/orders", order("lost"))
    assert "lost" not in gateway.booked()


def test_silence_books_and_never_answers(gateway: Gateway) -> None:
    """The worst case for a desk: the order is live and nobody says so."""
    gateway.break_with("silence")

    with pytest.raises(TimeoutError):
        gateway.ask("POST", "/orders", order("silent"), timeout_s=0.3)
    assert gateway.booked()["silent"]["ord_status"] == "filled"
    with pytest.raises(TimeoutError):
        gateway.ask("GET", "/health", timeout_s=0.3)


def test_a_silent_request_is_not_answered_when_the_fault_ends(gateway: Gateway) -> None:
    """Never answered means never: its session breaks instead."""
    gateway.break_with("silence")
    with gateway.connect() as kept:
        kept._http.request("GET", "/health")
        eventually(lambda: kept._http.sock is not None)
        gateway.break_with("none")

        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            kept._http.getresponse()


def test_latency_answers_late(gateway: Gateway) -> None:
    """A slow venue still fills; the time is the finding."""
    gateway.break_with("latency", latency_ms=300)

    before = time.monotonic()
    answer = gateway.ask("POST", "/orders", order("late"))

    assert time.monotonic() - before >= 0.3
    assert answer.document["ord_status"] == "filled"


def test_reject_gives_the_code_that_was_set(gateway: Gateway) -> None:
    """The venue's own words must reach the report to the letter."""
    gateway.break_with("reject", code="RISK_LIMIT", text="credit used up")

    execution = gateway.ask("POST", "/orders", order("reject")).document

    assert execution["exec_type"] == "rejected"
    assert execution["reject"] == {"code": "RISK_LIMIT", "text": "credit used up"}


def test_ack_without_fill_leaves_the_order_open(gateway: Gateway) -> None:
    """Acknowledged is neither filled nor dead."""
    gateway.break_with("ack_without_fill")

    execution = gateway.ask("POST", "/orders", order("ack")).document

    assert (execution["exec_type"], execution["ord_status"], execution["leaves_qty"]) == ("new", "new", "10")
    assert (execution["cum_qty"], execution["avg_px"]) == ("0", None)


def test_partial_fill_trades_half(gateway: Gateway) -> None:
    """What is left stays open."""
    gateway.break_with("partial_fill")

    execution = gateway.ask("POST", "/orders", order("half")).document

    assert (execution["ord_status"], execution["cum_qty"], execution["leaves_qty"]) == ("partially_filled", "5", "5")


def test_truncated_books_and_cuts_the_answer(gateway: Gateway) -> None:
    """Half an answer is no answer; the order is booked all the same."""
    gateway.break_with("truncated")

    with pytest.raises(http.client.IncompleteRead):
        gateway.ask("POST", "/orders", order("cut"))
    assert gateway.ask("GET", "/orders/cut").document["ord_status"] == "filled"


def test_reset_books_and_resets_the_connection(gateway: Gateway) -> None:
    """A reset after the send proves nothing about the order."""
    gateway.break_with("reset")

    with pytest.raises(ConnectionResetError):
        gateway.ask("POST", "/orders", order("rst"))
    assert gateway.booked()["rst"]["ord_status"] == "filled"


def test_duplicate_fill_answers_the_same_execution_twice(gateway: Gateway) -> None:
    """A client that takes the second copy for the next order's answer books a fill that never was."""
    gateway.break_with("duplicate_fill")
    body = json.dumps(order("dup")).encode()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=2) as wire:
        wire.sendall(
            b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body
        )
        received = b""
        while received.count(b'"reject":null}') < 2:
            received += wire.recv(65_536)

    copies = [json.loads(line) for line in received.splitlines() for line in re.findall(rb"\{.*?\}", line)]
    assert copies[0] == copies[1]
    assert copies[0]["client_order_id"] == "dup"
    assert gateway.booked()["dup"]["received_count"] == 1


def test_flapping_alternates_between_gone_and_well(gateway: Gateway) -> None:
    """A venue that comes and goes starts by going."""
    gateway.break_with("flapping", period_s=0.3)

    assert not _answers(gateway)
    eventually(lambda: _answers(gateway))
    eventually(lambda: not _answers(gateway))
    gateway.break_with("none")
    assert _answers(gateway)


@pytest.mark.parametrize("fault", ["refuse", "unreachable", "flapping", "silence", "reset"])
def test_every_fault_ends_when_it_is_switched_off(gateway: Gateway, fault: str) -> None:
    """A drill must leave nothing behind."""
    gateway.break_with(fault)
    gateway.break_with("none")

    assert gateway.ask("POST", "/orders", order(f"after-{fault}")).document["ord_status"] == "filled"


def test_a_fault_can_meet_one_asset_class_alone(gateway: Gateway) -> None:
    """Other classes and the health of the venue stay as they are."""
    gateway.break_with("reject", asset_classes=["fx"])

    equity = gateway.ask("POST", "/orders", order("one-equity")).document
    fx = gateway.ask("POST", "/orders", order("one-fx", asset_class="fx", symbol="EUR/USD")).document

    assert (equity["ord_status"], fx["ord_status"]) == ("filled", "rejected")


@pytest.mark.parametrize(
    "document",
    [
        {"fault": "meteor"},
        {"fault": "latency", "latency_ms": -1},
        {"fault": "refuse", "asset_classes": ["equity"]},
        {"fault": "none", "surprise": 1},
        b"{",
    ],
)
def test_a_wrong_fault_changes_nothing(gateway: Gateway, document: object) -> None:
    """A drill with a typing error must not count as a drill."""
    gateway.break_with("reject")

    answer = gateway.admin("PUT", "/faults", document)

    assert (answer.status, answer.document["error"]["code"]) == (400, "INVALID_FAULT")
    assert gateway.admin("GET", "/faults").document["fault"] == "reject"


def test_the_admin_port_tells_the_truth_while_the_order_port_is_gone(start: Callable[..., Gateway]) -> None:
    """What was booked can be counted in the middle of a fault."""
    gateway = start()
    gateway.ask("POST", "/orders", order("seen"))
    gateway.break_with("refuse")

    assert gateway.booked()["seen"]["received_count"] == 1


def _answers(gateway: Gateway) -> bool:
    try:
        return gateway.ask("GET", "/health", timeout_s=0.3).status == 200
    except OSError:
        return False
