"""The one pass of checks that every triage begins with."""

import time

import pytest

from flows import triage
from tasks.model.probes.probes import InstanceProbe
from tests.fakes.incident.cases import inputs
from tests.fakes.incident.observations import gateway, health, metrics, order, process

PARTS = {
    "probe_health": health(),
    "check_process": process(),
    "read_metrics": metrics(),
    "send_synthetic_order": (order(),),
    "probe_gateways": (gateway("XNAS"),),
    "read_routing": None,
}


def look_at_parts(monkeypatch: pytest.MonkeyPatch, parts: dict[str, object]) -> list[str]:
    """Let each step give what the test says; gives the names of those that ran."""
    ran: list[str] = []
    for name, look in parts.items():

        async def looked(_: str, name: str = name, look: object = look) -> object:
            ran.append(name)
            return look

        monkeypatch.setattr(triage, name, looked)
    return ran


@pytest.mark.parametrize("names", [(), ("a", "b")])
async def test_instances_are_asked_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """And no step runs for them where there are none."""
    probes = tuple(InstanceProbe(instance=one, health=health(), process=process(), metrics=metrics()) for one in names)
    ran = look_at_parts(monkeypatch, {**PARTS, "probe_instances": probes})
    context = inputs().evidence.context.model_copy(update={"known_instances": names})

    seen = await triage.look_around("order-service", context)

    assert seen.instances == probes
    assert ("probe_instances" in ran) is bool(names)


async def test_the_first_round_is_timed_by_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 1: how long a silence lasts is measured from here; and the next check waits no longer than it must."""
    look_at_parts(monkeypatch, PARTS)
    before_s = time.monotonic()

    seen = await triage.look_around("order-service")

    assert seen.steady_s is not None
    assert before_s <= seen.steady_s <= time.monotonic()
