"""One pass of checks, all at once: the first of a triage or a sweep, those that confirm it, and after an action."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from tasks.clients.process.probe import process_check
from tasks.clients.process.supervisors.supervisor_state import process_by_supervisor
from tasks.clients.service.instances import instance_of, instances_of
from tasks.clients.service.metrics import metrics_probe
from tasks.clients.service.one_pass import one_pass, service_client
from tasks.clients.service.probes import gateway_probe, health_once
from tasks.clients.service.routing import routing_probe
from tasks.clients.service.synthetic_orders import order_probes
from tasks.model.probes.probes import (
    GatewayProbe,
    HealthProbe,
    InstanceProbe,
    MetricsProbe,
    Observation,
    OrderProbe,
    RoutingProbe,
)
from tasks.model.probes.processes import ProcessCheck
from tasks.model.service.process_settings import SeenBy
from tasks.rules.probes.blind import BlindChecks, or_blind
from tasks.rules.probes.process_match import fitting
from tasks.rules.process.seen_by_metrics import process_by_metrics
from tasks.settings import ServiceSettings


class Checks(NamedTuple):
    """The checks of one pass, ready to be awaited: plain functions, or in a run its steps."""

    health: Awaitable[HealthProbe]
    process: Awaitable[ProcessCheck]
    metrics: Awaitable[MetricsProbe]
    orders: Awaitable[tuple[OrderProbe, ...]]
    gateways: Awaitable[tuple[GatewayProbe, ...]]
    routing: Awaitable[RoutingProbe]
    instances: Awaitable[tuple[InstanceProbe, ...]] | None = None


async def observed(checks: Checks, blind: BlindChecks) -> Observation:
    """Run the checks of §1.2, §1.3 and §2.2 once, concurrently, over one client and with one `GET /health`.

    Runbook: §1.2, §1.3, §2.2.
    Errors: none; every end of a check is a value, and one that breaks is blind in its own row.
    """
    looked_at, steady_s = datetime.now(UTC), time.monotonic()
    async with one_pass():
        health, process, metrics, orders, gateways, routing, instances = await asyncio.gather(
            or_blind(checks.health, blind.health),
            or_blind(checks.process, blind.process),
            or_blind(checks.metrics, blind.metrics),
            or_blind(checks.orders, blind.orders),
            or_blind(checks.gateways, blind.gateways),
            or_blind(checks.routing, blind.routing),
            or_blind(checks.instances or _none(), lambda _: ()),
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
            instances=instances,
        )
    )


async def _none() -> tuple[InstanceProbe, ...]:
    return ()


async def observe(service: ServiceSettings) -> Observation:
    """Make one pass without a run: in a sweep, to confirm, after an action, and for `runbook check`.

    Runbook: §1.2, §1.3, §2.2.
    """
    blind = BlindChecks(datetime.now(UTC), service.test_orders, service.gateways)
    async with service_client(service) as client:
        checks = Checks(
            health=health_once(client, service),
            process=process_seen(service),
            metrics=metrics_probe(client, service),
            orders=order_probes(client, service),
            gateways=gateway_probes(service),
            routing=routing_probe(client, service),
            instances=instance_probes(service),
        )
        return await observed(checks, blind)


async def process_seen(service: ServiceSettings) -> ProcessCheck:
    """Look at the process by what it is seen by: on this machine, or through the service's own metrics.

    Runbook: §1.2 Process status.
    """
    if service.process.seen_by is SeenBy.SUPERVISOR:
        return await asyncio.to_thread(process_by_supervisor, service)
    if service.process.seen_by is not SeenBy.METRICS:
        return await process_check(service)
    async with service_client(service) as client:
        return process_by_metrics(await metrics_probe(client, service), time.monotonic())


async def instance_probes(service: ServiceSettings) -> tuple[InstanceProbe, ...]:
    """Probe each instance at its own address, past the common one, concurrently."""
    names = instances_of(service)
    return tuple(await asyncio.gather(*(_instance_probe(instance_of(service, name), name) for name in names)))


async def _instance_probe(instance: ServiceSettings, name: str) -> InstanceProbe:
    blind = BlindChecks(datetime.now(UTC))
    # A pass of its own: what the checks of a pass share is the answer of one address.
    async with one_pass(), service_client(instance) as client:
        health, process, metrics = await asyncio.gather(
            or_blind(health_once(client, instance), blind.health),
            or_blind(process_seen(instance), blind.process),
            or_blind(metrics_probe(client, instance), blind.metrics),
        )
    alone = fitting(Observation(looked_at=health.looked_at, health=health, process=process, metrics=metrics))
    return InstanceProbe(instance=name, health=health, process=alone.process, metrics=metrics)


async def gateway_probes(service: ServiceSettings) -> tuple[GatewayProbe, ...]:
    """Probe every configured gateway directly, concurrently."""
    blind = BlindChecks(datetime.now(UTC))
    probes = (
        or_blind(gateway_probe(service, name, gateway), partial(blind.gateway, name))
        for name, gateway in service.gateways.items()
    )
    return tuple(await asyncio.gather(*probes))
