"""The benchmark itself: its figures must not be an invention."""

import argparse
from pathlib import Path

import pytest

from bench.orders import measure
from bench.orders_load import Tally


@pytest.mark.e2e
def test_a_short_run_counts_every_order_at_the_gateways(tmp_path: Path) -> None:
    """Speed that loses or doubles an order is no speed."""
    given = argparse.Namespace(seconds=0.5, connections=8, rate=100)

    figures = measure(given, tmp_path)

    assert figures["lost"] == []
    assert figures["doubled"] == []
    assert figures["booked"] >= figures["accepted"] > 0
    assert figures["closed"]["statuses"] == {"201": figures["closed"]["sent"]}
    assert 30 <= figures["open"]["orders"] <= 60
    assert 0 < figures["open"]["p50_ms"] <= figures["open"]["p95_ms"] <= figures["open"]["p99_ms"]


def test_the_load_never_repeats_an_order_id() -> None:
    """A repeated id would be answered from memory and look fast."""
    tally = Tally("x")

    made = {tally.next_order()[0] for _ in range(1000)}

    assert len(made) == 1000


def test_only_an_accepted_order_is_looked_for_at_the_gateways() -> None:
    """A denied order was never sent."""
    tally = Tally("x")
    for status in (201, 202, 503):
        tally.answered(str(status), status, 0)

    assert tally.accepted == ["201", "202"]
