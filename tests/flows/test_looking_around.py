"""The one round of looks that every triage begins with."""

import time

import pytest

from flows import triage
from tests.fakes.looks import gateway, health, metrics, order, process

PARTS = {
    "probe_health": health(),
    "check_process": process(),
    "read_metrics": metrics(),
    "send_synthetic_order": (order(),),
    "probe_gateways": (gateway("XNAS"),),
    "read_routing": None,
}


async def test_the_first_round_is_timed_by_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 1: how long a silence lasts is measured from here; and the next look waits no longer than it must."""
    for name, look in PARTS.items():

        async def looked(_: str, look: object = look) -> object:
            return look

        monkeypatch.setattr(triage, name, looked)
    before_s = time.monotonic()

    seen = await triage.look_around("order-service")

    assert seen.steady_s is not None
    assert before_s <= seen.steady_s <= time.monotonic()
