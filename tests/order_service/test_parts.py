"""The small parts that decide: tables, positions, gateway vitals, proof, settings, log lines."""

import logging
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_service.api.contract import OrderStatus
from order_service.gateways.health import GatewayVitals
from order_service.journal.rows import JournaledOrder
from order_service.orders.order import NewOrder, plain
from order_service.orders.positions import PositionBook
from order_service.orders.reconciler import Unproven, never_received
from order_service.routing.table import TableRefused, parse_table
from order_service.runtime.codes import CannotStart
from order_service.runtime.settings import load_settings
from order_service.telemetry.log_lines import JsonLine
from tests.order_service.desk import NAMES, order, routing_text

KNOWN = frozenset(NAMES)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('gateway = "XNAS"', 'gateway = "CRYP"', "does not support equity"),
        ('gateway = "XNAS"', 'gateway = "NONE"', "not in the table"),
        ('alternates = ["XNYS"]', 'alternates = ["XNAS"]', "alternates"),
        ('max_quantity = "1000000"', 'max_quantity = "-1"', "routes.equity.max_quantity"),
        ("[routes.equity]", "[routes.bond]", "routes.bond"),
        ("[features.order_throttle]", "[features.surprise]", "features"),
        ("[gateways.XNAS]", "[gateways.XNAS", "expected TOML"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(old: str, new: str, told: str) -> None:
    """The operator corrects the named place; nobody guesses."""
    text = routing_text()
    assert old in text

    with pytest.raises(TableRefused, match=told):
        parse_table(text.replace(old, new, 1).encode(), KNOWN)


def test_a_gateway_without_an_address_is_refused() -> None:
    """A route to nowhere is found at load, not at the first order."""
    with pytest.raises(TableRefused, match="XNAS"):
        parse_table(routing_text().encode(), KNOWN - {"XNAS"})


@given(cums=st.lists(st.integers(min_value=0, max_value=10), max_size=12))
def test_positions_count_each_filled_share_once(cums: list[int]) -> None:
    """However often and in whatever order a venue repeats itself, the position is the highest it has told."""
    book = PositionBook()
    asked = NewOrder.model_validate(order())
    book.open(asked)

    for cum in cums:
        book.book(asked.client_order_id, OrderStatus.PARTIALLY_FILLED, Decimal(cum))

    assert book.net(asked) == max([*cums, 0])


def test_a_gateway_is_down_after_two_misses_and_up_after_two_answers() -> None:
    """One lost probe is no outage, and one answer is no recovery."""
    vitals = GatewayVitals()
    vitals.took(1.0, None)

    changes = [vitals.took(None if error else 1.0, error) for error in ("x", None, "x", "x", None, None)]

    assert changes == [False, False, False, True, False, True]


@pytest.mark.parametrize(("first", "now", "proven"), [(None, 99.0, False), (10.0, 11.9, False), (10.0, 12.0, True)])
def test_one_denial_is_no_proof_and_two_apart_are(first: float | None, now: float, proven: bool) -> None:
    """The bytes may still be on their way when the gateway is asked for the first time."""
    row = JournaledOrder("c", "o", "h", b"{}", "XNAS", "1", "now", 0.0, OrderStatus.UNKNOWN)

    assert never_received(Unproven(row, first), now) is proven


@pytest.mark.parametrize(("text", "expected"), [("10.00", "10"), ("0.10", "0.1"), ("1E+3", "1000"), ("-0", "0")])
def test_amounts_are_written_plainly(text: str, expected: str) -> None:
    """Equal amounts are equal text, or the same order looks like two."""
    assert plain(Decimal(text)) == expected


def test_a_token_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are printed in tracebacks; secrets are not."""
    monkeypatch.setenv("ORDER_SERVICE_CONTROL_TOKEN", "s3cret")
    assert "s3cret" not in repr(load_settings())

    monkeypatch.setenv("ORDER_SERVICE_CONTROL_TOKEN_FILE", "also")
    with pytest.raises(CannotStart) as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


def test_an_empty_token_file_does_not_open_the_control_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty secret would match an empty header."""
    (tmp_path / "token").write_text("\n")
    monkeypatch.setenv("ORDER_SERVICE_CONTROL_TOKEN_FILE", str(tmp_path / "token"))

    with pytest.raises(CannotStart):
        load_settings().token()


def test_a_traceback_stays_on_its_own_line() -> None:
    """A log reader takes one line as one fact, however deep the trouble."""
    try:
        int("line one\nline two")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "BROKEN", None, (type(error), error, error.__traceback__)
        )

    line = JsonLine("svc", "1").format(record)

    assert "\n" not in line
    assert orjson.loads(line)["exception"] == "ValueError"
    assert "Traceback" in orjson.loads(line)["traceback"]
