"""One whole round of looks, all at once: for the first look, for the confirming ones, and after an action."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx

from tasks.clients.http_exchange import http_client
from tasks.clients.metrics_look import metrics_look
from tasks.clients.order_service import gateway_look, health_look, order_looks
from tasks.clients.process_look import process_look
from tasks.clients.routing_look import routing_look
from tasks.model.looks import GatewayLook, Observation
from tasks.rules.blind_looks import BlindLooks, or_blind
from tasks.rules.fitting import fitting
from tasks.settings import ServiceSettings


async def observe(service: ServiceSettings) -> Observation:
    """Make every look of §1.2, §1.3 and §2.2 once, concurrently.

    Runbook: §1.2, §1.3, §2.2.
    Errors: none; every end of a look is a value, and one that breaks is blind in its own row.
    """
    looked_at, steady_s = datetime.now(UTC), time.monotonic()
    blind = BlindLooks(looked_at, service.synthetic_orders, service.gateways)
    async with http_client(service.look.connect_timeout_s) as client:
        health, process, metrics, orders, gateways, routing = await asyncio.gather(
            or_blind(health_look(client, service), blind.health),
            or_blind(process_look(service), blind.process),
            or_blind(metrics_look(client, service), blind.metrics),
            or_blind(order_looks(client, service), blind.orders),
            or_blind(gateway_looks(client, service), blind.gateways),
            or_blind(routing_look(client, service), blind.routing),
        )
    return fitting(
        Observation(
            looked_at=looked_at,
            ended_at=datetime.now(UTC),
            steady_s=steady_s,
            health=health,
            process=process,
            metrics=metrics,
            orders=orders,
            gateways=gateways,
            routing=routing,
        )
    )


async def gateway_looks(client: httpx.AsyncClient, service: ServiceSettings) -> tuple[GatewayLook, ...]:
    """Probe every configured gateway directly, concurrently."""
    blind = BlindLooks(datetime.now(UTC))
    probes = (
        or_blind(gateway_look(client, service, name, gateway), partial(blind.gateway, name))
        for name, gateway in service.gateways.items()
    )
    return tuple(await asyncio.gather(*probes))


@asynccontextmanager
async def looking(service: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    """Open the client for one single look."""
    async with http_client(service.look.connect_timeout_s) as client:
        yield client
