"""One whole round of looks, all at once: for the first look, for the confirming ones, and after an action."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx

from tasks.clients.http_exchange import http_client
from tasks.clients.metrics_look import metrics_look
from tasks.clients.order_service import gateway_look, health_look, order_looks
from tasks.clients.process_look import process_look
from tasks.clients.routing_look import routing_look
from tasks.model.looks import GatewayLook, Observation
from tasks.rules.fitting import fitting
from tasks.settings import ServiceSettings


async def observe(service: ServiceSettings) -> Observation:
    """Make every look of §1.2, §1.3 and §2.2 once, concurrently.

    Runbook: §1.2, §1.3, §2.2.
    Errors: `BAD_SETTING` when a synthetic order breaks its quarantine; every end of a look is a value.
    """
    looked_at, steady_s = datetime.now(UTC), time.monotonic()
    async with http_client(service.look.connect_timeout_s) as client:
        health, process, metrics, orders, gateways, routing = await asyncio.gather(
            health_look(client, service),
            process_look(service),
            metrics_look(client, service),
            order_looks(client, service),
            gateway_looks(client, service),
            routing_look(client, service),
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
    probes = (gateway_look(client, service, name, gateway) for name, gateway in service.gateways.items())
    return tuple(await asyncio.gather(*probes))


@asynccontextmanager
async def looking(service: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    """Open the client for one single look."""
    async with http_client(service.look.connect_timeout_s) as client:
        yield client
