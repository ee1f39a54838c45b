"""The door to the watched order service and its gateways: one probe each, in the words of the HTTP contract."""

import asyncio
import contextlib
import uuid
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import httpx
import orjson

from tasks.clients.http_exchange import Call, exchange
from tasks.clients.known_secrets import secret_values
from tasks.clients.market_look import market_is_open
from tasks.model.errors import CannotLook, Code
from tasks.model.looks import Exchange, GatewayLook, HealthLook, OrderLook, OrderOutcome
from tasks.model.orders import AssetClass
from tasks.rules.blind_looks import BlindLooks, or_blind
from tasks.rules.clock import clock_skew_s
from tasks.rules.gateway_answer import judge_gateway
from tasks.rules.health_answer import judge_health
from tasks.rules.order_answer import judge_order
from tasks.rules.redaction import cleaned, without_secrets
from tasks.rules.synthetic_order import quarantine_fault, synthetic_body
from tasks.settings import Gateway, ServiceSettings


async def health_look(client: httpx.AsyncClient, service: ServiceSettings) -> HealthLook:
    """Ask `GET /health` once, as a client would.

    Runbook: §1.2 Quick health checks.
    """
    answer = await get(client, service, "/health", service.look.health_timeout_s)
    return cleaned(judge_health(answer, datetime.now(UTC)), secret_values(service))


async def get(client: httpx.AsyncClient, service: ServiceSettings, path: str, deadline_s: float) -> Exchange:
    """Make one bounded GET at the service."""
    return await exchange(
        client, Call("GET", service.url + path, deadline_s, body_limit_bytes=service.look.body_limit_bytes)
    )


async def order_look(
    client: httpx.AsyncClient, service: ServiceSettings, asset_class: AssetClass, limit: asyncio.Timeout | None = None
) -> OrderLook:
    """Send one quarantined synthetic order, once, with a deadline and no retry (safety rule 14).

    Runbook: §1.3 Verify order delivery.
    Errors: `BAD_SETTING` when the configured order breaks the quarantine; it is then never sent.
    """
    call = synthetic_call(service, asset_class, f"synthetic-{uuid.uuid4().hex}")
    answer = await exchange(client, call, limit)
    verdict = judge_order(answer)
    if verdict.outcome is OrderOutcome.REJECTED_AS_EXPECTED:
        verdict = judge_order(answer, market_open=market_is_open(service, asset_class))
    look = OrderLook(
        asset_class=asset_class,
        client_order_id=call.headers["x-client-order-id"],
        looked_at=datetime.now(UTC),
        exchange=answer,
        latency_ms=round(answer.seconds_s * 1000, 2),
        **verdict._asdict(),
    )
    return cleaned(look, secret_values(service))


async def order_looks(client: httpx.AsyncClient, service: ServiceSettings) -> tuple[OrderLook, ...]:
    """Send one synthetic order for each asset class that has one, concurrently.

    Runbook: §1.3 Verify order delivery.
    Steps: an order may take as long as the service may wait for a gateway; but where the service does not even answer
    `/health` in its own time, nothing is gained by waiting longer, and the orders have timed out.
    """
    limits = {name: asyncio.timeout(service.look.order_timeout_s) for name in service.synthetic_orders}
    blind = BlindLooks(datetime.now(UTC))
    looks = {
        name: asyncio.create_task(or_blind(order_look(client, service, name, limits[name]), partial(blind.order, name)))
        for name in limits
    }
    if looks and (await health_look(client, service)).silent:
        for name in [name for name, look in looks.items() if not look.done()]:
            # It may be ending by itself at this very moment; then there is nothing left to end.
            with contextlib.suppress(RuntimeError):
                limits[name].reschedule(asyncio.get_running_loop().time())
    return tuple(await asyncio.gather(*looks.values()))


def synthetic_call(service: ServiceSettings, asset_class: AssetClass, client_order_id: str) -> Call:
    """Write the request of one synthetic order.

    Errors: `BAD_SETTING` when the configured order breaks the quarantine.
    """
    order = service.synthetic_orders[asset_class]
    fault = quarantine_fault(order)
    if fault:
        raise CannotLook(Code.BAD_SETTING, fault)
    return Call(
        method="POST",
        url=f"{service.url}/orders",
        deadline_s=service.look.order_timeout_s,
        body=orjson.dumps(synthetic_body(order, asset_class, client_order_id)),
        headers={"content-type": "application/json", "x-client-order-id": client_order_id},
        body_limit_bytes=service.look.body_limit_bytes,
    )


async def gateway_look(client: httpx.AsyncClient, service: ServiceSettings, name: str, gateway: Gateway) -> GatewayLook:
    """Ask a gateway's own `/health`, past the service."""
    url = f"{str(gateway.base_url).rstrip('/')}/health"
    answer = await exchange(client, Call("GET", url, service.look.gateway_timeout_s))
    now = datetime.now(UTC)
    look = judge_gateway(answer)
    return GatewayLook(
        gateway=name,
        seen=look.seen,
        detail=without_secrets(look.detail, secret_values(service)),
        looked_at=now,
        fault=look.fault,
        latency_ms=round(answer.seconds_s * 1000, 2),
        clock_skew_s=clock_skew_s(answer, now),
    )


async def order_status(client: httpx.AsyncClient, service: ServiceSettings, client_order_id: str) -> Exchange:
    """Ask the journal for one order; an unknown order is asked for, never sent again."""
    return await get(client, service, f"/orders/{quote(client_order_id, safe='')}", service.look.order_timeout_s)
