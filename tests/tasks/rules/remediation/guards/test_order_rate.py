"""How many orders an action would move: by the service's own counters, to the order."""

import pytest

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.rules.remediation.guards.order_rate import orders_per_min
from tests.fakes.incident.observations import observation
from tests.fakes.incident.past import counted, past, with_past

EQUITY = "orders_total|asset_class=equity|outcome=filled"
FX = "orders_total|asset_class=fx|outcome=filled"
START = {"process_start_time_seconds": 1.0}


def counting(minutes_ago: float = 0.5, **more: float) -> Evidence:
    """A service that counted 10 equity orders and 5 of fx since a check some minutes ago."""
    before = {**START, EQUITY: 100.0, FX: 50.0, **more}
    now = {**START, EQUITY: 110.0, FX: 55.0, **{key: value + 99 for key, value in more.items()}}
    return with_past((observation(metrics=counted(now)),), history=(past(minutes_ago, counters=before),))


def test_orders_a_minute_are_counted_between_two_looks() -> None:
    """Ten orders in half a minute are twenty a minute; a person is asked above a number of them."""
    seen = counting()

    assert orders_per_min(seen, AssetClass.EQUITY) == 20.0
    assert orders_per_min(seen, AssetClass.FX) == 10.0
    assert orders_per_min(seen, AssetClass.CRYPTO) == 0.0
    assert orders_per_min(seen) == 30.0
    assert orders_per_min(counting(**{"orders_denied_total|asset_class=equity": 1.0})) == 30.0


@pytest.mark.parametrize(("seconds", "known"), [(5.0, True), (4.9, False)])
def test_two_looks_of_the_same_moment_measure_nothing(seconds: float, known: bool) -> None:
    """Noise over two seconds must not make a desk look idle, or busy."""
    assert (orders_per_min(counting(seconds / 60)) is not None) is known


def test_where_nobody_counts_nobody_knows() -> None:
    """Unknown is not none."""
    assert orders_per_min(with_past((observation(),))) is None
