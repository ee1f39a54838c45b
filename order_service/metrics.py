"""The numbers this service tells, under the names of its contract. Label sets are closed."""

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from functools import cache

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

from order_service.control_state import StrategySetting, StrategyState, TradingState

TRADING_STATE_VALUE = {TradingState.HALTED: 0, TradingState.REDUCING: 1, TradingState.ACTIVE: 2}
STRATEGY_STATE_VALUE = {StrategyState.HALTED: 0, StrategyState.ACTIVE: 2}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MAX_STRATEGIES = 200


class Metrics:
    """Count and measure, in a registry of its own."""

    def __init__(self, release: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._orders = Counter(
            "orders", "Orders by what became of them at first", ["asset_class", "gateway", "outcome"], registry=registry
        )
        self._order_seconds = Histogram(
            "order_seconds", "From order in to answer out", registry=registry, buckets=_BUCKETS
        )
        self._gateway_seconds = Histogram(
            "gateway_seconds", "Gateway round trip of an order", ["gateway"], registry=registry, buckets=_BUCKETS
        )
        self._resolved = Counter(
            "orders_resolved", "Unknown orders by what they turned out to be", ["outcome"], registry=registry
        )
        self._strategy = Counter("strategy_orders", "Orders by strategy", ["strategy"], registry=registry)
        self._invalid = Counter("orders_invalid", "Requests that were no valid order", ["code"], registry=registry)
        self._denied = Counter(
            "orders_denied", "Orders denied and never sent", ["asset_class", "code"], registry=registry
        )
        self.orders_unknown = Gauge(
            "orders_unknown", "Sent orders whose outcome is not proven, test orders left out", registry=registry
        )
        self.orders_unknown_synthetic = Gauge(
            "orders_unknown_synthetic", "Sent test orders whose outcome is not proven", registry=registry
        )
        self.orders_inflight = Gauge("orders_inflight", "Orders being worked on now", registry=registry)
        self.duplicate_fills = Counter("duplicate_fills", "Fills a gateway told twice", ["gateway"], registry=registry)
        self.gateway_up = Gauge(
            "gateway_up", "1 where the gateway's health probe passes", ["gateway"], registry=registry
        )
        self.gateway_latency = Gauge(
            "gateway_probe_seconds", "Latency of the gateway's last health probe", ["gateway"], registry=registry
        )
        self.feature_enabled = Gauge("feature_enabled", "1 where the feature is on", ["feature"], registry=registry)
        self.trading_state = Gauge(
            "trading_state", "0 halted, 1 reducing, 2 active", ["asset_class"], registry=registry
        )
        self._strategy_state = Gauge(
            "strategy_state", "0 halted, 2 active; only strategies set by hand", ["strategy"], registry=registry
        )
        self.log_lines_lost = Counter("log_lines_lost", "Log lines that could not be written", registry=registry)
        self.incidents_failed = Counter(
            "incidents_failed", "Failed tries to append to incidents.jsonl", registry=registry
        )
        self.events_lost = Counter("events_lost", "Events that were not delivered", registry=registry)
        Gauge("build_info", "The running release", ["release"], registry=registry).labels(release).set(1)
        self._strategies: set[str] = set()
        self.order_counter: Callable[[str, str, str], Counter] = cache(self._orders.labels)
        self._strategy_counter = cache(self._strategy.labels)
        self._gateway_timer = cache(self._gateway_seconds.labels)

    def order_done(self, asset_class: str, gateway: str | None, outcome: str, seconds: float) -> None:
        """Count one order that got an answer."""
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
        """Measure one round trip."""
        self._gateway_timer(gateway).observe(seconds)

    def strategy_asked(self, strategy: str) -> None:
        """Count an order under its strategy; beyond a bound new strategies are counted together."""
        if strategy not in self._strategies:
            if len(self._strategies) >= MAX_STRATEGIES:
                strategy = "other"
            self._strategies.add(strategy)
        self._strategy_counter(strategy).inc()

    def show_strategies(self, settings: Mapping[str, StrategySetting]) -> None:
        """Show the strategies that were set by hand, and no other; their number is bounded where they are set."""
        self._strategy_state.clear()
        for name, setting in settings.items():
            self._strategy_state.labels(name).set(STRATEGY_STATE_VALUE[setting.state])

    def order_invalid(self, code: str) -> None:
        """Count a request that was no valid order."""
        self._invalid.labels(code).inc()

    def order_denied(self, asset_class: str, code: str) -> None:
        """Count a denial by its reason."""
        self._denied.labels(asset_class, code).inc()

    def order_resolved(self, outcome: str) -> None:
        """Count an unknown order that was proven."""
        self._resolved.labels(outcome).inc()

    def render(self) -> bytes:
        """Write the exposition text."""
        return generate_latest(self.registry)
