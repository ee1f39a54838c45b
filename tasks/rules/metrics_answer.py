"""Judge one answer of `GET /metrics` (§1.2): the numbers that the runbook asks for, or *metrics unreadable*."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tasks.model.looks import Exchange, Fault, MetricsLook, Seen


class Sample(NamedTuple):
    """One sample of an exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


def judge_metrics(exchange: Exchange, now: datetime) -> MetricsLook:
    """Read the orders count and the other metrics of the contract.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; garbage, silence or a wrong status is a failed look of the instrument, not of the service.
    """
    if exchange.fault is Fault.CLIENT:
        return MetricsLook(seen=Seen.BLIND, detail=f"could not look: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE or exchange.http_status != 200:
        detail = f"http_status={exchange.http_status} {exchange.fault} {exchange.detail}".strip()
        return MetricsLook(seen=Seen.FAILED, detail=detail, looked_at=now)
    try:
        samples = _samples(exchange.body)
    except Exception as error:  # noqa: BLE001 - the library's parser raises whatever garbage makes it raise
        return MetricsLook(seen=Seen.FAILED, detail=f"unreadable: {str(error)[:200]}", looked_at=now)
    return _look(samples, now)


def _samples(text: str) -> tuple[Sample, ...]:
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return tuple(Sample(one.name, one.labels, one.value) for one in found)


def _look(samples: tuple[Sample, ...], now: datetime) -> MetricsLook:
    if not samples:
        return MetricsLook(seen=Seen.FAILED, detail="unreadable: no sample", looked_at=now)
    orders = tuple(_named(samples, "orders_total"))
    unknown = next(_named(samples, "orders_unknown"), None)
    build = next(_named(samples, "build_info"), None)
    count = sum(one.value for one in orders) if orders else None
    return MetricsLook(
        seen=Seen.PASSED,
        detail=f"orders_total={count:.0f}" if count is not None else "no orders_total",
        looked_at=now,
        orders_count=count,
        orders_by_outcome=_sums(orders, "outcome"),
        orders_unknown_count=unknown.value if unknown else None,
        gateways_up={one.labels.get("gateway", ""): one.value == 1 for one in _named(samples, "gateway_up")},
        release=build.labels.get("release") if build else None,
    )


def _named(samples: Iterable[Sample], name: str) -> Iterator[Sample]:
    return (one for one in samples if one.name == name)


def _sums(samples: Iterable[Sample], label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in samples:
        key = one.labels.get(label, "")
        sums[key] = sums.get(key, 0.0) + one.value
    return sums
