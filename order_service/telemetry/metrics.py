"""The metrics of this service, under the names of its contract. Label sets are closed."""

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from functools import cache, partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from order_service.api.contract import STRATEGY_STATE_VALUE
from order_service.control.state import StrategySetting

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MAX_STRATEGIES = 200


class Metrics:
    def __init__(self, release: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=_BUCKETS)
        self._orders = counter("orders", "Orders by their first outcome", ["asset_class", "gateway", "outcome"])
        self._order_seconds = histogram("order_seconds", "From order in to answer out")
        self._gateway_seconds = histogram("gateway_seconds", "Gateway round trip of an order", ["gateway"])
        self._resolved = counter("orders_resolved", "Unknown orders by what they turned out to be", ["outcome"])
        self._strategy = counter("strategy_orders", "Orders by strategy", ["strategy"])
        self._invalid = counter("orders_invalid", "Requests that were no valid order", ["code"])
        self._denied = counter("orders_denied", "Orders denied and never sent", ["asset_class", "code"])
        self.orders_unknown = gauge("orders_unknown", "Sent orders whose outcome is not proven, test orders left out")
        self.orders_unknown_synthetic = gauge(
            "orders_unknown_synthetic", "Sent test orders whose outcome is not proven"
        )
        self.orders_inflight = gauge("orders_inflight", "Orders being worked on now")
        self.duplicate_fills = counter("duplicate_fills", "Fills that a gateway reported twice", ["gateway"])
        self.gateway_up = gauge("gateway_up", "1 where the gateway's health probe passes", ["gateway"])
        self.gateway_latency = gauge("gateway_probe_seconds", "Latency of the last health probe", ["gateway"])
        self.feature_enabled = gauge("feature_enabled", "1 where the feature is on", ["feature"])
        self.trading_state = gauge("trading_state", "0 halted, 1 reducing, 2 active", ["asset_class"])
        self._strategy_state = gauge("strategy_state", "0 halted, 2 active; only those that were set", ["strategy"])
        self.log_lines_lost = counter("log_lines_lost", "Log lines that could not be written")
        self.incidents_failed = counter("incidents_failed", "Failed tries to append to incidents.jsonl")
        self.events_lost = counter("events_lost", "Events that were not delivered")
        gauge("build_info", "The running release", ["release"]).labels(release).set(1)
        self._strategies: set[str] = set()
        self.order_counter: Callable[[str, str, str], Counter] = cache(self._orders.labels)
        self._strategy_counter = cache(self._strategy.labels)
        self._gateway_timer = cache(self._gateway_seconds.labels)

    def order_done(self, asset_class: str, gateway: str | None, outcome: str, seconds: float) -> None:
        self.order_counter(asset_class, gateway or "none", outcome).inc()
        self._order_seconds.observe(seconds)

    def orders_by_outcome(self) -> Counts[str]:
        """Give the number of orders for each outcome; it costs a walk over all counters."""
        counts: Counts[str] = Counts()
        for family in self._orders.collect():
            for sample in family.samples:
                counts[sample.labels["outcome"]] += int(sample.value)
        return counts

    def gateway_answered(self, gateway: str, seconds: float) -> None:
        self._gateway_timer(gateway).observe(seconds)

    def strategy_asked(self, strategy: str) -> None:
        """Count an order under its strategy; beyond a bound new strategies are counted together."""
        if strategy not in self._strategies:
            if len(self._strategies) >= MAX_STRATEGIES:
                strategy = "other"
            self._strategies.add(strategy)
        self._strategy_counter(strategy).inc()

    def show_strategies(self, settings: Mapping[str, StrategySetting]) -> None:
        """Show the strategies that were set, and no other; their number is bounded where they are set."""
        self._strategy_state.clear()
        for name, setting in settings.items():
            self._strategy_state.labels(name).set(STRATEGY_STATE_VALUE[setting.state])

    def order_invalid(self, code: str) -> None:
        self._invalid.labels(code).inc()

    def order_denied(self, asset_class: str, code: str) -> None:
        self._denied.labels(asset_class, code).inc()

    def order_resolved(self, outcome: str) -> None:
        self._resolved.labels(outcome).inc()

    def render(self) -> bytes:
        return generate_latest(self.registry)
