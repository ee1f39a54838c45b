"""Every scenario of the stub service, as a firm's CI would run it: the expected cause of each, by check and by flow."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.commands.check import observed_evidence
from flows.triage import triage
from order_service.stub.scenarios import SCENARIOS
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.market.calendars import read_calendar
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.incidents.incident import Event
from tasks.model.probes.orders import AssetClass
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.market.hours import market_hours
from tasks.settings import load_settings
from tests.fakes.service.monitored_service import Patient, end, watched
from tests.fakes.service.several_services import start_all

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.prefect,
    # Every scenario at once, on a machine that may be busy with other tests.
    pytest.mark.timeout(300),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
AT_ONCE_COUNT = 3
# Several flows share one event loop here: a check must not time out because another one works.
PATIENT_LOOKS = ProbeLimits(health_timeout_s=3.0, metrics_timeout_s=3.0, order_timeout_s=3.0)
EXPECTED: dict[str, set[str]] = {
    "healthy": set(),
    "hung": {"service_hung"},
    "slow": {"unknown"},
    "error": {"infrastructure"},
    "degraded": {"dependency_unreachable"},
    "no_execution_block": {"unknown"},
    "accepted_but_rejected_downstream": {"gateway_failing"},
    "market_closed_reject": set(),
    "unknown_orders": {"gateway_failing"},
    "truncated_json": {"unknown"},
    "truncated_body": {"unknown"},
    "wrong_types": {"unknown"},
    "huge_body": {"unknown"},
    "drip": {"service_hung"},
    "reset": {"unknown"},
    "redirect_loop": {"unknown"},
    "orders_hang": {"service_hung"},
    "orders_fail": {"unknown"},
    "health_error_orders_fill": {"observability_fault"},
    "metrics_garbage": {"observability_fault"},
    "metrics_hang": {"observability_fault"},
    "no_control": set(),
    "control_not_allowed": set(),
    "control_unauthorized": set(),
    "control_hangs": set(),
    "control_without_effect": set(),
    "unresolved_orders": set(),
}

# One of each cause.
THROUGH_PREFECT = ("healthy", "hung", "error", "degraded", "unknown_orders", "metrics_garbage", "reset")


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Patient]]:
    """One stub service for each scenario, all at once."""
    folder = tmp_path_factory.mktemp("scenarios")
    # A venue that says *closed* is believed where its market is closed, and that is a matter of the hour.
    calendars = {"equity": closed_for_a_while()}
    found = {name: watched(folder, name, look=PATIENT_LOOKS, calendars=calendars) for name in SCENARIOS}
    try:
        start_all(found)
        yield found
    finally:
        for patient in found.values():
            end(patient)


@pytest.fixture
def watched_together(patients: dict[str, Patient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """All of them watched by one host that only observes; gives their names."""
    patients["healthy"].watch_from_the_environment(monkeypatch)
    services = {name: one.service.model_dump(mode="json", exclude_defaults=True) for name, one in patients.items()}
    for name, table in services.items():
        table["incidents_file"] = str(tmp_path / f"{name}.jsonl")
    monkeypatch.setenv("RUNBOOK_SERVICES", json.dumps(services))
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("RUNBOOK_MODE", "observe")
    return list(services)


async def test_every_scenario_is_named(watched_together: list[str]) -> None:
    """A team sees each way in which a service can fail, and what the runbook would say of it."""
    assert set(watched_together) == {*EXPECTED, "flapping"}
    settings = load_settings()
    at_once = asyncio.Semaphore(AT_ONCE_COUNT)

    async def named(name: str) -> set[str]:
        async with at_once:
            return {one.cause.value for one in name_cause(await observed_evidence(settings, name)).findings}

    found = dict(zip(watched_together, await asyncio.gather(*map(named, watched_together)), strict=True))

    # It is well and in error in turn: what one check meets is a matter of its second.
    assert found.pop("flapping") in (set(), {"infrastructure"})
    assert found == EXPECTED


async def test_a_triage_names_the_same_and_acts_on_none(
    watched_together: list[str], prefect: str, tmp_path: Path
) -> None:
    """A team's CI sees what the check says: the steps are the same, and Prefect keeps what they found."""
    assert prefect
    assert set(THROUGH_PREFECT) <= set(watched_together)
    for name in THROUGH_PREFECT:
        await triage(service=name)

    found = {name: causes(tmp_path / f"{name}.jsonl") for name in THROUGH_PREFECT}
    assert found == {name: EXPECTED[name] for name in THROUGH_PREFECT}


def closed_for_a_while() -> str:
    """Name a calendar by which nothing trades during this test: New York and Tokyo never trade at the same time."""
    now = datetime.now(UTC)
    hours = [market_hours(AssetClass.EQUITY, read_calendar(name, now), now) for name in ("XNYS", "XTKS")]
    return next(
        one.calendar for one in hours if not one.open and one.next_open and one.next_open - now > timedelta(minutes=10)
    )


def causes(ledger: Path) -> set[str]:
    """The causes that one run wrote down; nothing was done about any."""
    records = read_ledger(ledger).records
    assert Event.ACTION_STARTED not in {record.event for record in records}
    return {str(record.details["cause"]) for record in records if record.event == Event.DIAGNOSED}
