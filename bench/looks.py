"""Measure the looks of one healthy triage: the real order service and its five gateways, everything at once.

Steps:
    1. start the stack of the order bench: five gateways and the service
    2. make the looks of a triage, again and again, and take the wall time of each round
    3. the same looks one after the other, for comparison, in the same run
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench.measuring.figures import Alternative, Figure, at_most
from bench.measuring.machine import Elsewhere
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.orders_stack import Stack, running_stack
from tasks.clients.http_exchange import http_client
from tasks.clients.metrics_look import metrics_look
from tasks.clients.observe import gateway_looks, observe
from tasks.clients.order_service import health_look, order_looks
from tasks.clients.process_look import process_look
from tasks.model.looks import Seen
from tasks.model.orders import AssetClass, SyntheticOrder
from tasks.settings import ServiceSettings

BUDGET_MS = 150
ROUNDS_COUNT, QUICK_ROUNDS_COUNT = 30, 10
SYMBOLS = {
    AssetClass.EQUITY: "ZVZZT",
    AssetClass.FUTURE: "TESTF",
    AssetClass.FX: "TST/USD",
    AssetClass.CRYPTO: "TST-USD",
}


def main() -> int:
    """Measure, print, write; 3 when the budget was missed."""
    given = bench_arguments("bench.looks", __doc__, databases=False).parse_args()
    return run_bench("looks", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Make the looks of a healthy triage, at once and one after the other."""
    rounds_count = QUICK_ROUNDS_COUNT if given.quick else ROUNDS_COUNT
    with tempfile.TemporaryDirectory(prefix="bench-looks-") as directory, running_stack(Path(directory)) as stack:
        busy = Elsewhere()
        figure = asyncio.run(rounds(watched(stack), rounds_count))
        return Measured((figure,), busy.cores(), {})


def watched(stack: Stack) -> ServiceSettings:
    """Describe the bench's own service as a desk would."""
    facts: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{stack.service.ports[0]}",
        "gateways": {one.name: f"http://127.0.0.1:{one.ports[0]}" for one in stack.gateways},
        "synthetic_orders": {name: SyntheticOrder(symbol=symbol) for name, symbol in SYMBOLS.items()},
    }
    return ServiceSettings.model_validate(facts)


async def rounds(service: ServiceSettings, rounds_count: int) -> Figure:
    """Time the rounds, after one that is not counted; each of them must find the service well."""
    await observe(service)
    at_once = tuple([await timed(lambda: observe(service)) for _ in range(rounds_count)])
    in_turn = tuple([await timed(lambda: looks_in_turn(service)) for _ in range(rounds_count)])
    seen = await observe(service)
    delivered = sum(one.outcome.delivered for one in seen.orders)
    if seen.health.seen is not Seen.PASSED or delivered != len(SYMBOLS):
        raise SystemExit(f"NOT_WELL: expected a healthy service was {seen.health.detail}, delivered={delivered}")
    return Figure(
        what="all looks of a healthy triage",
        unit="ms",
        values=at_once,
        budget=at_most(BUDGET_MS),
        alternatives=(Alternative(name="one after the other", values=in_turn),),
    )


async def timed(look: Callable[[], Awaitable[object]]) -> float:
    """Time one round. Units: milliseconds."""
    started = time.perf_counter()
    await look()
    return (time.perf_counter() - started) * 1000


async def looks_in_turn(service: ServiceSettings) -> None:
    """Make the same looks one after the other."""
    async with http_client(service.look.connect_timeout_s) as client:
        await health_look(client, service)
        await process_look(service)
        await metrics_look(client, service)
        await order_looks(client, service)
        await gateway_looks(client, service)


if __name__ == "__main__":
    sys.exit(main())
