"""Judge one answer of `GET /metrics` (§1.2): the numbers that the runbook asks for, or *metrics unreadable*."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.looks import Exchange, Fault, MetricsLook, Seen
from tasks.model.metrics import MetricsSnapshot, MetricsUnreadable, Sample


def metrics_fault(exchange: Exchange, now: datetime) -> MetricsLook | None:
    """Say why there is no exposition to read, or None when there is one.

    Runbook: §1.2 Orders count and other custom metrics.
    """
    if exchange.fault is Fault.CLIENT:
        return MetricsLook(seen=Seen.BLIND, detail=f"could not look: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE:
        return MetricsLook(seen=Seen.FAILED, detail=f"{exchange.fault}: {exchange.detail}", looked_at=now)
    if exchange.http_status != 200:
        return MetricsLook(seen=Seen.FAILED, detail=f"http_status={exchange.http_status}", looked_at=now)
    return None


def judge_metrics(read: MetricsSnapshot | MetricsUnreadable, now: datetime) -> MetricsLook:
    """Take the orders count and the other metrics of the contract out of an exposition.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; garbage is a failed look of the instrument, not of the service.
    """
    if isinstance(read, MetricsUnreadable):
        return MetricsLook(seen=Seen.FAILED, detail=f"unreadable: {read.code} {read.detail}", looked_at=now)
    orders = read.series("orders_total")
    count = sum(one.value for one in orders) if orders else None
    return MetricsLook(
        seen=Seen.PASSED,
        detail=f"orders_total={count:.0f}" if count is not None else "no orders_total",
        looked_at=now,
        orders_count=count,
        orders_by_outcome=_sums(orders, "outcome"),
        orders_unknown_count=read.value("orders_unknown"),
        gateways_up={_label(one, "gateway"): one.value == 1 for one in read.series("gateway_up")},
        release=next((_label(one, "release") for one in read.series("build_info")), None),
    )


def _sums(samples: Iterable[Sample], label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in samples:
        key = _label(one, label)
        sums[key] = sums.get(key, 0.0) + one.value
    return sums


def _label(sample: Sample, name: str) -> str:
    return dict(sample.labels).get(name, "")
