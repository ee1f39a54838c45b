"""What a check raises is reported in its own row."""

from datetime import UTC, datetime

import pytest

from flows import triage
from tasks.model.errors import CannotObserve, Code
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.probes.blind import BlindChecks, blind_logs, or_blind, why
from tasks.settings import ServiceSettings
from tasks.work.triage import probe_pass as observing
from tests.fakes.incident.observations import gateway, health, metrics, order, process

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
STEPS = ("probe_health", "check_process", "read_metrics", "send_synthetic_order", "probe_gateways", "read_routing")
LOOKS = (health(), process(), metrics(), (order(),), (gateway("XNAS"),), None)


@pytest.mark.parametrize("broken", range(len(STEPS)))
@pytest.mark.parametrize("error", [RuntimeError("boom"), TimeoutError(), OSError(24, "Too many open files")])
async def test_a_check_that_breaks_is_blind_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, broken: int, error: Exception
) -> None:
    """One broken check once failed the whole triage, and nobody was notified of anything."""
    for number, (name, look) in enumerate(zip(STEPS, LOOKS, strict=True)):

        async def step(_: str, look: object = look, is_broken: bool = number == broken) -> object:
            if is_broken:
                raise error
            return look

        monkeypatch.setattr(triage, name, step)
    seen = await triage.look_around("order-service")
    rows = (seen.health, seen.process, seen.metrics, seen.orders, seen.gateways, seen.routing)

    assert [row for number, row in enumerate(rows) if number != broken] == [
        look for number, look in enumerate(LOOKS) if number != broken
    ]
    assert is_blind(rows[broken])


def is_blind(row: object) -> bool:
    """Say whether a row says that nothing was seen."""
    if isinstance(row, tuple):
        return all(is_blind(one) for one in row)
    word = getattr(row, "seen", None) or getattr(row, "state", None) or getattr(row, "outcome", None)
    return word in (Seen.BLIND, ProcessState.BLIND, OrderOutcome.BLIND)


async def test_a_whole_round_stands_what_any_of_its_checks_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The round after an action uses the same rule: a recovery is not lost to a broken tool."""

    async def broken(*_: object) -> None:
        raise ValueError("password=hunter2")

    for name in ("health_once", "process_check", "metrics_probe", "order_probes", "gateway_probes", "routing_probe"):
        monkeypatch.setattr(observing, name, broken)
    seen = await observing.observe(ServiceSettings())

    assert all(is_blind(row) for row in (seen.health, seen.process, seen.metrics, seen.orders, seen.routing))
    assert "hunter2" not in seen.model_dump_json()


async def test_a_scan_that_breaks_is_a_blind_log() -> None:
    """Reading logs never fails a triage."""

    async def scan() -> object:
        raise MemoryError("no room")

    found = await or_blind(scan(), blind_logs)

    assert "MemoryError" in found.blind[0]  # type: ignore[attr-defined]


def test_the_reason_is_said_in_our_words() -> None:
    """A person acts on the code; a library's own text comes second."""
    assert why(CannotObserve(Code.BAD_SETTING, "expected a, was b")) == "BAD_SETTING: expected a, was b"
    assert why(TimeoutError()) == "our own check did not end in its time"
    assert "KeyError" in why(KeyError("x"))


def test_each_class_and_gateway_that_could_not_be_asked_has_its_row() -> None:
    """No row would read as "not set up"."""
    blind = BlindChecks(NOW, [AssetClass.FX], ["XNAS", "CME"])

    assert [one.asset_class for one in blind.orders("x")] == [AssetClass.FX]
    assert [one.gateway for one in blind.gateways("x")] == ["XNAS", "CME"]
