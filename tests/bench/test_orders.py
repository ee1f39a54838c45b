"""The order bench itself: its figures must not be an invention."""

import argparse
from itertools import islice
from pathlib import Path

import pytest

from bench.orders import loads
from bench.orders_load import Tally, due_times


@pytest.mark.e2e
def test_a_short_run_counts_every_order_at_the_gateways(tmp_path: Path) -> None:
    """Speed that loses or doubles an order is no speed."""
    given = argparse.Namespace(seconds=0.5, connections=8, rate=100)

    found = loads(given, tmp_path)

    assert found["lost"] == []
    assert found["doubled"] == []
    assert found["booked"] >= found["accepted"] > 0
    assert found["closed"]["statuses"] == {"201": found["closed"]["sent"]}
    assert 30 <= found["open"]["orders"] <= 60
    assert 0 < found["open"]["p50_ms"] <= found["open"]["p95_ms"] <= found["open"]["p99_ms"]


def test_an_open_loop_is_due_at_its_rate_however_late_the_answers_are() -> None:
    """A source that waits for answers hides how long a client would have waited in line."""
    due = list(islice(due_times(seconds=0.1, rate=1000), 200))

    assert len(due) == 100
    assert due[-1] - due[0] == pytest.approx(0.099)


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
