"""Numbers that say that nobody knows are no facts."""

import pytest

from tasks.clients.service.exposition import read_exposition
from tasks.model.probes.probes import MetricsProbe
from tasks.rules.probes.metrics import judge_metrics
from tests.fakes.incident.observations import NOW


def judged(body: str, content_type: str = "") -> MetricsProbe:
    """How an exposition reads."""
    return judge_metrics(read_exposition(body.encode(), NOW, content_type), NOW)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "2", "0.5", "-1"])
def test_a_gateway_of_which_nobody_knows_is_neither_up_nor_down(value: str) -> None:
    """NaN was shown as DOWN, and paged people for a gateway that filled orders."""
    look = judged(
        f'gateway_up{{gateway="XNAS"}} {value}\ngateway_up{{gateway="CME"}} 0\ngateway_up{{gateway="FX"}} 1\n'
    )

    assert look.gateways_up == {"CME": False, "FX": True}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-3"])
def test_a_count_of_which_a_part_is_not_known_is_not_known(value: str) -> None:
    """A sum over NaN is no number of orders."""
    look = judged(
        f'orders_total{{outcome="filled"}} {value}\norders_total{{outcome="rejected"}} 2\norders_unknown {value}\n'
    )

    assert look.orders_count is None
    assert look.orders_unknown_count is None
    assert look.orders_by_outcome == {"rejected": 2}
    assert "nan" not in look.detail.lower()


def test_a_whole_count_is_told() -> None:
    """Zero is a number."""
    look = judged('orders_total{outcome="filled"} 0\norders_total{outcome="rejected"} 2\norders_unknown 0\n')

    assert (look.orders_count, look.orders_unknown_count) == (2, 0)
