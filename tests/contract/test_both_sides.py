"""Both sides of the contract, held to the same JSON: the real service seen by the real looks, and the shared ledger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from order_service.runtime.files import append_line as append_by_the_service
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.readiness import answers_health
from tasks.model.diagnosis.diagnosis import Cause, Status
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass, SyntheticOrder
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import running
from tests.order_service.desk import lay_out
from tests.order_service.process import service_process
from tests.order_service.simulator import simulator

pytestmark = pytest.mark.live

SYMBOLS = {AssetClass.EQUITY: "ZVZZT"}


@asynccontextmanager
async def real_service(folder: Path) -> AsyncIterator[tuple[ServiceSettings, str]]:
    """Run the real order service against one real gateway, and describe it to the checks."""
    async with simulator(folder / "gateway") as (gateway_url, admin_url):
        lay_out(folder / "state", gateway_url, total_timeout_s=2.0)
        port = free_port()
        with service_process(folder / "state", port, INCIDENTS_FILE=str(folder / "incidents.jsonl")):
            service = settings_of(port, gateway_url)
            # One that listens may still start: its first answer may take longer than a check waits.
            await asyncio.to_thread(eventually, lambda: answers_health(service), 30)
            yield service, admin_url


def settings_of(port: int, gateway_url: str) -> ServiceSettings:
    """Settings as a desk would write them."""
    orders = {name: SyntheticOrder(symbol=symbol) for name, symbol in SYMBOLS.items()}
    facts = {"base_url": f"http://127.0.0.1:{port}", "synthetic_orders": orders, "gateways": {"XNAS": gateway_url}}
    return ServiceSettings.model_validate(facts)


def causes(*rounds: Observation) -> tuple[Status, list[Cause]]:
    """Name the causes of some passes."""
    context = Context(request=TriageRequest(service="s"), looked_at=datetime.now(UTC), mode=Mode.ACT, late_s=0)
    diagnosis = name_cause(Evidence(context=context, observations=rounds))
    return diagnosis.status, [finding.cause for finding in diagnosis.findings]


async def test_the_real_service_is_well_in_every_look(tmp_path: Path) -> None:
    """Health, metrics, orders and process of the real service are what the checks expect."""
    async with real_service(tmp_path) as (service, _):
        seen = await observe(service)

    assert seen.health.seen is Seen.PASSED
    assert seen.health.release == "9.9.9"
    assert {one.name for one in seen.health.dependencies} >= {"XNAS", "XCME"}
    assert seen.metrics.seen is Seen.PASSED
    assert seen.metrics.release == "9.9.9"
    assert seen.metrics.gateways_up["XNAS"]
    assert {one.asset_class: one.outcome for one in seen.orders} == dict.fromkeys(SYMBOLS, OrderOutcome.EXECUTED)
    assert seen.process.state is ProcessState.RUNNING
    assert causes(seen) == (Status.OK, [])


async def test_the_real_services_rejects_denials_and_unknowns_are_read_as_such(tmp_path: Path) -> None:
    """Denied, rejected and unknown stay apart from the gateway's socket to our verdict."""
    expected = {"reject": OrderOutcome.REJECTED, "refuse": OrderOutcome.DENIED, "silence": OrderOutcome.UNKNOWN}
    async with real_service(tmp_path) as (service, admin_url):
        for fault, outcome in expected.items():
            await set_fault(admin_url, fault)
            seen = await observe(service)
            assert {one.outcome for one in seen.orders} == {outcome}, fault


async def test_the_stub_answers_in_the_same_shapes(tmp_path: Path) -> None:
    """CI against the stub means something only if the stub speaks as the service does."""
    async with real_service(tmp_path / "real") as (service, _):
        real = await observe(service)
    orders = {name: SyntheticOrder(symbol=symbol) for name, symbol in SYMBOLS.items()}
    (tmp_path / "stub").mkdir()
    with running(tmp_path / "stub", synthetic_orders=orders) as patient:
        stub = await observe(patient.service)

    assert shape(stub) == shape(real)


def shape(seen: Observation) -> tuple[object, ...]:
    """What must be the same on both."""
    outcomes = {(one.asset_class, one.outcome) for one in seen.orders}
    return seen.health.seen, seen.health.status, seen.metrics.seen, outcomes


def test_both_sides_write_one_ledger(tmp_path: Path) -> None:
    """Either side heals the other's torn line, and reads what the other wrote."""
    path = tmp_path / "incidents.jsonl"
    ours = LedgerRecord(timestamp=datetime.now(UTC), type="ours", service="s", source=Source.TRIAGE)
    append(path, [ours])
    path.write_bytes(path.read_bytes() + b'{"torn": ')
    append_by_the_service(path, b'{"timestamp":"2026-11-23T15:00:00Z","type":"theirs","source":"order_service"}')
    path.write_bytes(path.read_bytes() + b'{"torn": ')
    append(path, [ours])

    ledger = read_ledger(path)

    assert [one.type for one in ledger.records] == ["ours", "theirs", "ours"]
    assert [one.line for one in ledger.skipped] == [2, 4]


async def test_the_services_own_incidents_are_read_by_the_ledger(tmp_path: Path) -> None:
    """What the service tells of itself is part of the context."""
    async with real_service(tmp_path):
        path = tmp_path / "incidents.jsonl"
        await asyncio.to_thread(
            eventually, lambda: "service_started" in [one.type for one in read_ledger(path).records]
        )

    assert read_ledger(path).skipped == ()


def kinds(path: Path) -> list[str]:
    """The types of what the ledger holds."""
    return [one.type for one in read_ledger(path).records]


async def set_fault(admin_url: str, fault: str) -> None:
    """Switch a fault of the gateway on."""
    body = f'{{"fault":"{fault}"}}'.encode()
    async with http_client(HttpSettings(), 1.0) as client:
        call = Call("PUT", f"{admin_url}/faults", 5.0, body=body, headers={"content-type": "application/json"})
        assert (await exchange(client, call)).http_status == 200
