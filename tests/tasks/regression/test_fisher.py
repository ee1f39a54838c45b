"""Our exact test against SciPy's and against whole numbers."""

import math
import random
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.diagnosis.fisher import fisher_greater

Table = tuple[int, int, int, int]


def random_tables(count: int, largest: int, seed: int) -> list[Table]:
    """Draw tables whose sizes and error rates spread over orders of magnitude."""
    chance = random.Random(seed)
    tables = []
    for _ in range(count):
        after, before = (int(10 ** chance.uniform(0, math.log10(largest))) for _ in range(2))
        rate = 10 ** chance.uniform(-6, -0.01)
        rise = chance.choice([0.5, 1.0, 1.05, 1.5, 3.0])
        tables.append((int(after * min(1.0, rate * rise)), after, int(before * rate), before))
    return tables


def scipy_p(table: Table) -> float:
    """Ask SciPy for the same one-sided probability."""
    from scipy.stats import fisher_exact  # type: ignore[import-untyped] # noqa: PLC0415 - a second in each process

    errors_after, after, errors_before, before = table
    cells = [[errors_after, after - errors_after], [errors_before, before - errors_before]]
    return float(fisher_exact(cells, alternative="greater")[1])


@pytest.mark.parametrize(("largest", "count"), [(60, 400), (5_000, 400), (1_000_000, 400)])
def test_it_agrees_with_scipy_on_random_tables(largest: int, count: int) -> None:
    """A rollback rests on this number, so a second implementation must give the same one."""
    for table in random_tables(count, largest, seed=largest):
        assert fisher_greater(*table) == pytest.approx(scipy_p(table), rel=1e-6, abs=1e-280), table


@given(st.integers(0, 40), st.integers(0, 40), st.data())
def test_it_is_exact_for_small_counts(after: int, before: int, data: st.DataObject) -> None:
    """Summed in whole numbers, the chance is the same to the last digits."""
    errors_after, errors_before = data.draw(st.integers(0, after)), data.draw(st.integers(0, before))
    errors = errors_after + errors_before
    ways = sum(
        math.comb(errors, k) * math.comb(after + before - errors, after - k)
        for k in range(errors_after, min(errors, after) + 1)
    )

    exact = float(Fraction(ways, math.comb(after + before, after)))
    assert fisher_greater(errors_after, after, errors_before, before) == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize(
    "table", [(500_000, 1_000_000, 499_000, 1_000_000), (10**8, 10**9, 10**8, 10**9), (10**6, 10**6, 0, 10**6)]
)
def test_millions_of_orders_are_not_counted_one_by_one(table: Table) -> None:
    """The rule runs inside a triage that has 150 ms for everything."""
    started = time.thread_time()
    p_value = fisher_greater(*table)

    assert 0 <= p_value <= 1
    assert time.thread_time() - started < 5


def test_the_tea_tasting_table() -> None:
    """Fisher's own example: all four cups right by chance once in seventy."""
    assert fisher_greater(4, 4, 0, 4) == pytest.approx(1 / 70)


@pytest.mark.parametrize("table", [(1, 0, 0, 1), (-1, 5, 0, 5), (0, 5, 6, 5)])
def test_impossible_counts_are_refused(table: Table) -> None:
    """More errors than orders is a fault of the caller, not a probability."""
    with pytest.raises(ValueError, match="expected"):
        fisher_greater(*table)
