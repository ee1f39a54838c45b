"""Which metric of a foreign exposition counts orders, and how its labels are called; only what is plain is taken."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tasks.model.probes.metrics import MetricsSnapshot, MetricType, Sample

METRICS_PATHS = ("/metrics", "/actuator/prometheus", "/q/metrics", "/prometheus", "/management/prometheus")
# Words of a metric's name: one that counts orders has the first and none of the second, which count a part of them.
ORDERS = {"order", "orders"}
PARTS = {
    "seconds", "duration", "latency", "bytes", "denied", "invalid", "cancel", "canceled", "cancelled", "rejected",
    "rejects", "failed", "failures", "errors", "retries", "amended", "http", "max", "created", "bucket", "sum",
}  # fmt: skip
# Ours → the last word of the label's name as others call it.
LABELS = {
    "asset_class": {"asset_class", "class", "asset", "product", "market"},
    "gateway": {"gateway", "venue", "exchange", "destination", "broker"},
    "outcome": {"outcome", "result", "status", "state"},
}
OUTCOMES = {
    "filled": {"filled", "fill", "done", "executed", "success", "ok", "completed"},
    "rejected": {"rejected", "reject", "ko", "refused", "failure", "failed", "error"},
    "denied": {"denied"},
    "unknown": {"unknown"},
}
CONNECTED = {"up", "connected", "healthy", "available", "online"}
WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


class MetricDialect(NamedTuple):
    """One of our metrics in the words of a service, as in the table `metrics.names`; values are ours by theirs."""

    ours: str
    name: str
    labels: dict[str, str]
    values: dict[str, dict[str, str]]
    unknown_values: tuple[str, ...] = ()


def metric_dialects(read: MetricsSnapshot) -> tuple[MetricDialect, ...]:
    """Find what counts orders, and what says whether a gateway is up; a person chooses where there are several."""
    names = dict.fromkeys(one.name for one in read.samples)
    return tuple(
        _described(ours, read.series(name))
        for name in names
        for ours, fits in (("orders_total", _counts_orders), ("gateway_up", _says_up))
        if fits(read, name)
    )


def _counts_orders(read: MetricsSnapshot, name: str) -> bool:
    words = set(_words(name))
    counts = name.endswith("_total") or read.type_of(name) is MetricType.COUNTER
    return counts and bool(words & ORDERS) and not words & PARTS


def _says_up(read: MetricsSnapshot, name: str) -> bool:
    samples = read.series(name)
    named = any("gateway" in _labels(one.labels) for one in samples)
    return named and bool(set(_words(name)) & CONNECTED) and all(one.value in {0, 1} for one in samples)


def _described(ours: str, samples: Iterable[Sample]) -> MetricDialect:
    found = tuple(samples)
    labels = {ours: theirs for one in found for ours, theirs in _labels(one.labels).items()}
    outcome = labels.get("outcome")
    theirs = sorted({value for one in found for key, value in one.labels if key == outcome})
    known = {value: ours for value in theirs for ours, words in OUTCOMES.items() if value.lower() in words}
    unknown = tuple(value for value in theirs if value not in known)
    return MetricDialect(ours, found[0].name, labels, {"outcome": known} if known else {}, unknown)


def _labels(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, _ in labels:
        for ours, others in LABELS.items():
            if ours not in found and (key in others or (_words(key) or [""])[-1] in others):
                found[ours] = key
    return found


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name)]
