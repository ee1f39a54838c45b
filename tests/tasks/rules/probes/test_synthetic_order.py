"""The quarantine of the synthetic order (safety rule 14): it can never become a real one."""

from decimal import Decimal

import pytest

from tasks.model.probes.orders import AssetClass, Side, SyntheticOrder
from tasks.rules.probes.synthetic_order import STRATEGY, in_words, order_values, quarantine_fault, synthetic_body


@pytest.mark.parametrize("symbol", ["ZVZZT", "ZXZZT", "NTEST", "NTEST.A", "TESTF", "TST/USD", "TST-USD"])
def test_the_venues_own_test_symbols_may_be_sent(symbol: str) -> None:
    """Rule 14: exchanges publish symbols that trade nothing."""
    assert quarantine_fault(SyntheticOrder(symbol=symbol)) is None


@pytest.mark.parametrize("symbol", ["AAPL", "EUR/USD", "ESZ6", "zvzzt", "ZVZZTX", "TSTUSD", "LATEST 1", "ZVZZT\n"])
def test_a_real_symbol_is_never_sent(symbol: str) -> None:
    """Rule 14: a typing error in a settings file must not buy a share."""
    fault = quarantine_fault(SyntheticOrder(symbol=symbol))

    assert fault is not None
    assert f"symbol={symbol}" in fault


def test_a_symbol_that_a_person_listed_may_be_sent() -> None:
    """Rule 14: a venue with test symbols of its own is named in the settings."""
    assert quarantine_fault(SyntheticOrder(symbol="QA1", allowed_symbols=("QA1",))) is None


def test_a_quantity_above_the_cap_is_never_sent() -> None:
    """Rule 14: small, whatever else is wrong."""
    order = SyntheticOrder(symbol="ZVZZT", quantity=Decimal(2), quantity_cap=Decimal(1))

    assert "quantity<=1" in (quarantine_fault(order) or "")


def test_the_order_says_that_it_is_synthetic() -> None:
    """Rule 14: flag and strategy keep it out of every position, limit and report of the desk."""
    body = synthetic_body(SyntheticOrder(symbol="ZVZZT"), AssetClass.EQUITY, "synthetic-1")

    assert body["synthetic"] is True
    assert body["strategy"] == STRATEGY
    assert body["client_order_id"] == "synthetic-1"


def test_decimals_are_strings_and_a_market_order_carries_no_price() -> None:
    """A float would change the price on its way."""
    order = SyntheticOrder(symbol="ZVZZT", order_type="market")
    body = synthetic_body(order, AssetClass.EQUITY, "synthetic-1")

    assert body["quantity"] == "1"
    assert body["limit_price"] is None


def test_an_order_is_written_in_the_services_words() -> None:
    """Only words are: an id or a symbol that looks like one is somebody else's."""
    order = SyntheticOrder(symbol="TST/day", side=Side.SELL, time_in_force="DAY", limit_price=Decimal("1E+2"))
    words = {"sell": "2", "day": "0", "equity": "EQ", "tst/day": "no"}
    said = in_words(order_values(order, AssetClass.EQUITY, "synthetic-1"), words)

    assert (said["side"], said["time_in_force"], said["asset_class"], said["symbol"]) == ("2", "0", "EQ", "TST/day")
    assert (said["order_type"], said["limit_price"], said["quantity"]) == ("limit", "100", "1")
