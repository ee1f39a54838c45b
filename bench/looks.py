"""Measure the looks of one healthy triage: the real order service and its five gateways, everything at once.

Steps:
    1. start the stack of the order bench: five gateways and the service
    2. make the looks of a triage, again and again, and take the wall time of each round
    3. the same looks one after the other, for comparison, in the same run
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
ROUNDS_COUNT = 30
RESULTS = Path(__file__).parent / "results"
SYMBOLS = {
    AssetClass.EQUITY: "ZVZZT",
    AssetClass.FUTURE: "TESTF",
    AssetClass.FX: "TST/USD",
    AssetClass.CRYPTO: "TST-USD",
}


def main() -> int:
    """Measure, print, write the figures; 3 when the budget was missed."""
    with tempfile.TemporaryDirectory(prefix="bench-looks-") as directory, running_stack(Path(directory)) as stack:
        figures = asyncio.run(measure(watched(stack)))
    sys.stdout.write(
        f"looks of a healthy triage, {ROUNDS_COUNT} rounds: all at once median {figures['at_once_ms']:.0f} ms, "
        f"p95 {figures['at_once_p95_ms']:.0f} ms; one after the other median {figures['in_turn_ms']:.0f} ms; "
        f"budget {BUDGET_MS} ms\n"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "looks.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if figures["at_once_ms"] <= BUDGET_MS else 3


def watched(stack: Stack) -> ServiceSettings:
    """Describe the bench's own service as a desk would."""
    facts: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{stack.service.ports[0]}",
        "gateways": {one.name: f"http://127.0.0.1:{one.ports[0]}" for one in stack.gateways},
        "synthetic_orders": {name: SyntheticOrder(symbol=symbol) for name, symbol in SYMBOLS.items()},
    }
    return ServiceSettings.model_validate(facts)


async def measure(service: ServiceSettings) -> dict[str, Any]:
    """Time the rounds, after one that is not counted; each of them must find the service well."""
    await observe(service)
    at_once = [await timed(lambda: observe(service)) for _ in range(ROUNDS_COUNT)]
    in_turn = [await timed(lambda: looks_in_turn(service)) for _ in range(ROUNDS_COUNT)]
    seen = await observe(service)
    delivered = sum(one.outcome.delivered for one in seen.orders)
    if seen.health.seen is not Seen.PASSED or delivered != len(SYMBOLS):
        raise RuntimeError(f"NOT_WELL: expected a healthy service was {seen.health.detail}, delivered={delivered}")
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "rounds": ROUNDS_COUNT,
        "at_once_ms": statistics.median(at_once),
        "at_once_p95_ms": statistics.quantiles(at_once, n=20)[-1],
        "in_turn_ms": statistics.median(in_turn),
        "budget_ms": BUDGET_MS,
    }


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
