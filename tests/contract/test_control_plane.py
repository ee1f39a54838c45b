"""The control plane and the list of orders, asked of the real service by the real clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from tasks.clients.service import control
from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.order_states import order_states, proven_within
from tasks.clients.service.readiness import answers_health
from tasks.clients.service.routing import routing_probe
from tasks.model.probes.control import (
    ControlAnswer,
    ControlOutcome,
    ControlReason,
    GatewayState,
    RouteScope,
    StrategyState,
    TradingState,
)
from tasks.model.probes.order_states import OrderSafety, UnprovenOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import RoutingProbe
from tasks.model.service.http_settings import HttpSettings
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.order_service.desk import lay_out
from tests.order_service.process import service_process
from tests.order_service.simulator import simulator

pytestmark = pytest.mark.live

WHY = ControlReason(reason="held to the contract", set_by="the tests")
EQUITY = AssetClass.EQUITY


@asynccontextmanager
async def real_service(folder: Path) -> AsyncIterator[tuple[ServiceSettings, str]]:
    """Run the real order service with a control token against one real gateway."""
    async with simulator(folder / "gateway") as (gateway_url, admin_url):
        lay_out(folder / "state", gateway_url, total_timeout_s=1.0)
        port = free_port()
        with service_process(folder / "state", port, INCIDENTS_FILE=str(folder / "incidents.jsonl")):
            facts = {
                "base_url": f"http://127.0.0.1:{port}",
                "control_token": "test-token",
                "synthetic_orders": {"equity": {"symbol": "ZVZZT"}},
            }
            service = ServiceSettings.model_validate(facts)
            # One that listens may still start: its first answer may take longer than a check waits.
            await asyncio.to_thread(eventually, lambda: answers_health(service), 30)
            yield service, admin_url


async def routing(service: ServiceSettings) -> RoutingProbe:
    """Look at the routing."""
    async with http_client(HttpSettings(), 1.0) as client:
        return await routing_probe(client, service)


async def test_every_door_of_the_control_plane_opens(tmp_path: Path) -> None:
    """A client that speaks past its service is found in an incident, or here."""
    async with real_service(tmp_path) as (service, _):
        table_hash = (await routing(service)).table_hash or ""
        answers = {
            "gateway": await control.set_gateway(service, "XNAS", GatewayState.DEGRADED, WHY),
            "route": await control.set_route(service, EQUITY, "XNYS", WHY),
            "trial": await control.set_route(service, EQUITY, "XNYS", WHY, RouteScope.SYNTHETIC),
            "trading": await control.set_trading(service, EQUITY, TradingState.HALTED, WHY),
            "strategy": await control.set_strategy(service, "momentum", StrategyState.HALTED, WHY),
            "feature": await control.set_feature(service, "order_throttle", WHY, enabled=False),
            "reload": await control.reload_table(service, WHY),
            "restore": await control.restore_table(service, table_hash, WHY),
        }
        seen = await routing(service)
        route = seen.route(EQUITY)

    assert {name: one.detail for name, one in answers.items() if not one.is_done} == {}
    assert route is not None
    assert (route.trading_state, route.set_by, route.reason) == ("halted", "the tests", WHY.reason)
    assert seen.features["order_throttle"] is False


async def test_what_the_service_refuses_comes_back_with_its_code(tmp_path: Path) -> None:
    """The plan takes its next choice by these codes."""
    async with real_service(tmp_path) as (service, _):
        stranger = service.model_copy(update={"control_token": SecretStr("another")})
        answers = [
            await control.set_gateway(service, "XXXX", GatewayState.DEGRADED, WHY),
            await control.set_route(service, EQUITY, "XCME", WHY),
            await control.set_feature(service, "none_such", WHY, enabled=False),
            await control.restore_table(service, "0" * 64, WHY),
            await control.set_trading(stranger, EQUITY, TradingState.HALTED, WHY),
        ]

    assert [told(one) for one in answers] == [
        (ControlOutcome.REFUSED, "UNKNOWN_GATEWAY"),
        (ControlOutcome.REFUSED, "ROUTE_NOT_ALLOWED"),
        (ControlOutcome.REFUSED, "UNKNOWN_FEATURE"),
        (ControlOutcome.REFUSED, "UNKNOWN_TABLE"),
        (ControlOutcome.REFUSED, "CONTROL_UNAUTHORIZED"),
    ]


def told(answer: ControlAnswer) -> tuple[ControlOutcome, str | None]:
    """What an answer decides by."""
    return answer.outcome, answer.code


async def test_an_order_that_lost_its_answer_is_unsafe_until_the_gateway_tells(tmp_path: Path) -> None:
    """In flight, then unknown, then proven: the gate follows the journal, and the synthetic order counts in none."""
    async with real_service(tmp_path) as (service, admin_url):
        await set_fault(admin_url, "silence")
        sending = asyncio.create_task(send(service, "desk-1"))
        in_flight = await until(service, OrderSafety.WAIT)
        await observe(service)
        await sending
        unknown = await order_states(service)
        await set_fault(admin_url, "none")
        proven = await proven_within(service, 30.0)

    assert [(one.client_order_id, one.status) for one in in_flight] == [("desk-1", "in_flight")]
    assert (unknown.verdict, unknown.ids, unknown.unproven[0].gateway) == (OrderSafety.UNSAFE, ("desk-1",), "XNAS")
    assert unknown.unproven[0].age_s is not None
    assert proven.verdict is OrderSafety.SAFE


async def until(service: ServiceSettings, verdict: OrderSafety) -> tuple[UnprovenOrder, ...]:
    """Look until the gate says so, and give what it named."""
    for _ in range(100):
        states = await order_states(service)
        if states.verdict is verdict:
            return states.unproven
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {verdict}")


async def send(service: ServiceSettings, client_order_id: str) -> None:
    """Send an order as a trader does."""
    order = {"symbol": "AAPL", "side": "buy", "quantity": "10", "order_type": "market", "asset_class": "equity"}
    body = orjson.dumps({**order, "client_order_id": client_order_id})
    await call("POST", f"{service.url}/orders", body)


async def set_fault(admin_url: str, fault: str) -> None:
    """Switch a fault of the gateway on."""
    await call("PUT", f"{admin_url}/faults", orjson.dumps({"fault": fault}))


async def call(method: str, url: str, body: bytes) -> None:
    """Make one request."""
    async with http_client(HttpSettings(), 1.0) as client:
        await exchange(client, Call(method, url, 10.0, body=body, headers={"content-type": "application/json"}))
