"""Measure all checks of one healthy triage, at once: the real order service and its five gateways.

Beside it the same checks one after the other, and as many bare requests over loopback at once, in the same run.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from bench.figures import Bench, Figure, Run, row
from bench.order_stack import OrderStack, order_stack
from tasks.clients.process.probe import process_check
from tasks.clients.service.http import http_client
from tasks.clients.service.metrics import metrics_probe
from tasks.clients.service.probes import health_probe
from tasks.clients.service.routing import routing_probe
from tasks.clients.service.synthetic_orders import order_probes
from tasks.model.probes.probes import Seen
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import gateway_probes, observe

SYMBOLS = {"equity": "ZVZZT", "future": "TESTF", "fx": "TST/USD", "crypto": "TST-USD"}
ROUND_TRIP = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def measure(run: Run) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-checks-") as folder, order_stack(Path(folder)) as stack:
        yield asyncio.run(rounds(stack, monitored(stack), run.given.rounds))


def monitored(stack: OrderStack) -> ServiceSettings:
    """Describe the bench's own service as a desk would."""
    facts: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{stack.service.ports[0]}",
        "gateways": {one.name: f"http://127.0.0.1:{one.ports[0]}" for one in stack.gateways},
        "synthetic_orders": {name: {"symbol": symbol} for name, symbol in SYMBOLS.items()},
    }
    return ServiceSettings.model_validate(facts)


async def rounds(stack: OrderStack, service: ServiceSettings, rounds_count: int) -> Figure:
    """Time the rounds, after one that is not counted.

    Errors: SystemExit where the service is not healthy: then no figure counts.
    """
    await observe(service)
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "at once": lambda: observe(service),
        "one after the other": lambda: one_after_the_other(service),
        "as many loopback round trips": lambda: round_trips(stack),
    }
    took_ms = {name: [await timed_ms(check) for _ in range(rounds_count)] for name, check in ways.items()}
    seen = await observe(service)
    delivered = sum(one.outcome.delivered for one in seen.orders)
    if seen.health.seen is not Seen.PASSED or delivered != len(SYMBOLS):
        raise SystemExit(f"NOT_WELL: expected a healthy service was {seen.health.detail}, delivered={delivered}")
    at_once = took_ms.pop("at once")
    return row("all checks of a healthy service, at once", "ms", at_once, took_ms)


async def timed_ms(check: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await check()
    return (time.perf_counter() - started) * 1000


async def one_after_the_other(service: ServiceSettings) -> None:
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        await health_probe(client, service)
        await process_check(service)
        await metrics_probe(client, service)
        await order_probes(client, service)
        await gateway_probes(service)
        await routing_probe(client, service)


async def round_trips(stack: OrderStack) -> None:
    """Ask for health, metrics, routing, four orders and five gateways what costs the least: a bare health."""
    ports = [stack.service.ports[0]] * (3 + len(SYMBOLS)) + [one.ports[0] for one in stack.gateways]
    await asyncio.gather(*map(round_trip, ports))


async def round_trip(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ROUND_TRIP)
    await reader.read()
    writer.close()


BENCH = Bench("checks", measure, options={"rounds": (30, 10)})
