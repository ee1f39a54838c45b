"""The faults, by name. Each is put into the running code from outside: the healthy code neither knows nor pays for it.

What a fault breaks is imported inside it: one of them changes what the routing table knows before anything reads it.
"""
# ruff: noqa: PLC0415, SLF001

import asyncio
import os
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from order_service.journal.rows import JournaledOrder
    from order_service.orders.answers import Answer
    from order_service.orders.order import NewOrder

BLOCKED_FOR_S = 5.0
FAILING_RATIO = 0.3
FEATURE = "crypto_price_guard"
LEAK_STEP_BYTES = 8 * 1024 * 1024
LEAK_LIMIT_BYTES = 1024 * 1024 * 1024  # a drill must not take the machine with it
LEAK_EVERY_S = 1.0
SLOWER_RATIO = 5.0
LEAST_DELAY_S = 0.05


@dataclass(slots=True)
class Switch:
    """Say whether the fault is in force; `actions` run at the moment when it comes, on the event loop."""

    on: bool = False
    actions: list[Callable[[], None]] = field(default_factory=list)

    def turn_on(self) -> None:
        self.on = True
        for action in self.actions:
            action()

    def toggle(self) -> None:
        if self.on:
            self.on = False
        else:
            self.turn_on()


def blocked_loop(switch: Switch) -> None:
    """Block the event loop once, and go on as if nothing had been."""
    switch.actions.append(lambda: time.sleep(BLOCKED_FOR_S))


def cpu_spin(switch: Switch) -> None:
    """Spin on the event loop for good: a core is busy and nothing is answered."""

    def find_best_price() -> None:
        price = 0
        while price >= 0:
            price = (price + 1) % 1_000_003

    switch.actions.append(find_best_price)


def crash_at_start(switch: Switch) -> None:
    """End with a traceback before the release listens."""
    raise RuntimeError(f"expected a routing engine, was none; switch={switch.on}")


def crash_loop(switch: Switch) -> None:
    """End the process without draining, each time it is started."""

    def crash() -> None:
        sys.stderr.write("Fatal error: invalid state in the routing engine\n")
        sys.stderr.flush()
        os._exit(70)

    switch.actions.append(crash)


def feature_breaks_crypto(switch: Switch) -> None:
    """Bring a new feature, switched on, that breaks every crypto order; the table on disk need not name it."""
    from pydantic import BaseModel, ConfigDict

    from order_service.routing import table

    class PriceGuard(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        enabled: bool = True

    class GuardedFeatures(table.FeatureRules):
        crypto_price_guard: PriceGuard = PriceGuard()

    class GuardedTable(table.RoutingTable):
        features: GuardedFeatures

    for name, value in (("FeatureRules", GuardedFeatures), ("RoutingTable", GuardedTable)):
        setattr(table, name, value)
    from order_service.api.contract import AssetClass
    from order_service.orders.pre_trade_checks import Features

    check = Features.check

    def checks(features: Features, order: "NewOrder") -> None:
        check(features, order)
        if switch.on and order.asset_class is AssetClass.CRYPTO and features.enabled(FEATURE):
            raise ZeroDivisionError("no reference price")

    setattr(Features, check.__name__, checks)


def health_broken(switch: Switch) -> None:
    """Let `/health` say error with 503, while orders fill."""
    from order_service.telemetry.health_report import HealthReport

    verdict = HealthReport._verdict

    def gives(report: HealthReport, dependencies: Any) -> tuple[str, str | None]:
        return ("error", "the health check itself failed") if switch.on else verdict(report, dependencies)

    setattr(HealthReport, verdict.__name__, gives)


def memory_leak(switch: Switch) -> None:
    """Leak from a thread of its own, so that orders go on as before."""

    def leak() -> None:
        held: list[bytes] = []
        while switch.on:
            if len(held) * LEAK_STEP_BYTES < LEAK_LIMIT_BYTES:
                held.append(b"\xa5" * LEAK_STEP_BYTES)  # written to, or the kernel would not count it
            time.sleep(LEAK_EVERY_S)

    switch.actions.append(lambda: threading.Thread(target=leak, daemon=True).start())


def order_errors(switch: Switch) -> None:
    """Let 30 % of the orders end in a 500 before they are sent: the same ones each time they come."""
    from order_service.orders.pre_trade_checks import PreTradeChecks

    admit = PreTradeChecks.admit

    def admits(checks: PreTradeChecks, order: "NewOrder") -> str:
        if switch.on and zlib.crc32(order.client_order_id.encode()) % 100 < FAILING_RATIO * 100:
            raise KeyError("venue_code")
        return admit(checks, order)

    setattr(PreTradeChecks, admit.__name__, admits)


def orders_hang(switch: Switch) -> None:
    """Leave new orders waiting before anything of them is written down or sent."""
    from order_service.orders.flow import OrderFlow

    take = OrderFlow.take

    async def takes(flow: OrderFlow, order: "NewOrder") -> "Answer":
        if switch.on:
            await asyncio.Event().wait()
        return await take(flow, order)

    setattr(OrderFlow, take.__name__, takes)


def slow_orders(switch: Switch) -> None:
    """Slow down the work on an order, within the time that the service itself measures; gateways stay as fast."""
    from order_service.orders.flow import OrderFlow

    work = OrderFlow._work

    async def works(flow: OrderFlow, order: "NewOrder", row: "JournaledOrder") -> "JournaledOrder":
        started = time.perf_counter()
        settled = await work(flow, order, row)
        if switch.on:
            taken_s = time.perf_counter() - started
            await asyncio.sleep(max(LEAST_DELAY_S, taken_s * (SLOWER_RATIO - 1)))
        return settled

    setattr(OrderFlow, work.__name__, works)


# Each fault, and how long after the start it comes by itself.
INSTALLERS: dict[str, tuple[Callable[[Switch], None], float]] = {
    "order_errors": (order_errors, 0.0),
    "slow_orders": (slow_orders, 0.0),
    "orders_hang": (orders_hang, 0.0),
    "health_broken": (health_broken, 0.0),
    "crash_at_start": (crash_at_start, 0.0),
    "crash_loop": (crash_loop, 5.0),
    "feature_breaks_crypto": (feature_breaks_crypto, 0.0),
    "memory_leak": (memory_leak, 0.0),
    "cpu_spin": (cpu_spin, 5.0),
    "blocked_loop": (blocked_loop, 5.0),
}
