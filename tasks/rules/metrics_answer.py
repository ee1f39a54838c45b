"""Judge one answer of `GET /metrics` (§1.2): the numbers that the runbook asks for, or *metrics unreadable*."""

import math
from collections.abc import Iterable
from datetime import datetime

from tasks.model.looks import Exchange, Fault, MetricsLook, Seen
from tasks.model.metrics import MetricsSnapshot, MetricsUnreadable, Sample
from tasks.rules.http_words import status_words

# The counters that are compared across runs; the others are read and let go.
TRACKED = frozenset(
    {
        "orders_total",
        "orders_denied_total",
        "orders_invalid_total",
        "strategy_orders_total",
        "order_seconds_sum",
        "order_seconds_count",
        "gateway_seconds_sum",
        "gateway_seconds_count",
        "log_lines_lost_total",
        "incidents_failed_total",
        "process_start_time_seconds",
    }
)
TRACKED_LIMIT_COUNT = 400
TRADING_STATES = {0.0: "halted", 1.0: "reducing", 2.0: "active"}


def metrics_fault(exchange: Exchange, now: datetime) -> MetricsLook | None:
    """Say why there is no exposition to read, or None when there is one.

    Runbook: §1.2 Orders count and other custom metrics.
    """
    if exchange.blind:
        return MetricsLook(seen=Seen.BLIND, detail=f"could not look: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE:
        return MetricsLook(seen=Seen.FAILED, detail=f"{exchange.fault}: {exchange.detail}", looked_at=now)
    if exchange.http_status != 200:
        return MetricsLook(seen=Seen.FAILED, detail=status_words(exchange), looked_at=now)
    return None


def judge_metrics(read: MetricsSnapshot | MetricsUnreadable, now: datetime) -> MetricsLook:
    """Take the orders count and the other metrics of the contract out of an exposition.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; garbage is a failed look of the instrument, not of the service.
    """
    if isinstance(read, MetricsUnreadable):
        return MetricsLook(seen=Seen.FAILED, detail=f"unreadable: {read.code} {read.detail}", looked_at=now)
    orders = [one for one in read.series("orders_total") if _is_count(one.value)]
    # A sum of which one part is not known is not known.
    is_whole = bool(orders) and len(orders) == len(read.series("orders_total"))
    count = sum(one.value for one in orders) if is_whole else None
    unknown = read.value("orders_unknown")
    return MetricsLook(
        seen=Seen.PASSED,
        detail=f"orders_total={count:.0f}" if count is not None else "no orders_total that is a number",
        looked_at=now,
        orders_count=count,
        orders_by_outcome=_sums(orders, "outcome"),
        orders_unknown_count=unknown if unknown is not None and _is_count(unknown) else None,
        gateways_up={
            _label(one, "gateway"): one.value == 1 for one in read.series("gateway_up") if one.value in (0, 1)
        },
        trading_states={
            _label(one, "asset_class"): TRADING_STATES.get(one.value, "unknown") for one in read.series("trading_state")
        },
        release=next((_label(one, "release") for one in read.series("build_info")), None),
        samples=tracked_samples(read),
    )


def tracked_samples(read: MetricsSnapshot) -> tuple[Sample, ...]:
    """Take the samples that are compared across runs, the largest first where there are too many."""
    found = [one for one in read.samples if one.name in TRACKED and math.isfinite(one.value)]
    return tuple(sorted(found, key=lambda one: -one.value)[:TRACKED_LIMIT_COUNT])


def _is_count(value: float) -> bool:
    """Say whether a number can be a count; NaN, which says that nobody knows, cannot."""
    return math.isfinite(value) and value >= 0


def _sums(samples: Iterable[Sample], label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in samples:
        key = _label(one, label)
        sums[key] = sums.get(key, 0.0) + one.value
    return sums


def _label(sample: Sample, name: str) -> str:
    return dict(sample.labels).get(name, "")
