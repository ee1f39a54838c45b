"""Our own metrics in the text format of Prometheus."""

import threading
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from deployments.monitoring.definitions import COUNTERS, GAUGES, HISTOGRAMS, SINCE_START, ServiceNumbers
from deployments.monitoring.sources import ServiceSources
from tasks.clients.incidents.mode import current_mode
from tasks.clients.messages.outbox import Outbox
from tasks.model.incidents.modes import Mode
from tasks.model.messages.delivery import Queued
from tasks.settings import RunbookSettings

ALERT_RESULTS = ("started", "resolved", "refused", "failed")


class Exposition(Collector):
    """All of our metrics; one scrape at a time brings the sources up to date."""

    def __init__(self, settings: RunbookSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._alerts = dict.fromkeys(ALERT_RESULTS, 0)
        self._sources = {name: ServiceSources(settings, name) for name in settings.services}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def alert_taken(self, result: str) -> None:
        with self._lock:
            self._alerts[result] += 1

    def text(self) -> bytes:
        with self._lock:
            return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Name nothing beforehand; else the registry would read every source to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the sources, and give their metrics."""
        yield _mode(current_mode(self._settings))
        yield _taken(self._alerts)
        yield from _queue(Outbox(self._settings.state_dir).waiting())
        services = {
            name: ServiceNumbers(self._settings.service(name), one.read()) for name, one in self._sources.items()
        }
        yield from _families(services)


def _taken(results: Mapping[str, int]) -> Metric:
    alerts = CounterMetricFamily(
        "runbook_alerts_total", f"Alertmanager webhooks by result, {SINCE_START}", labels=["result"]
    )
    for result, count in results.items():
        alerts.add_metric([result], count)
    return alerts


def _mode(now: Mode) -> Metric:
    switch = GaugeMetricFamily("runbook_mode", "1 for the current automation mode", labels=["mode"])
    for word in Mode:
        switch.add_metric([word], word is now)
    return switch


def _queue(waiting: Sequence[Queued]) -> Iterator[Metric]:
    yield GaugeMetricFamily("runbook_messages_waiting", "Notifications queued on disk", len(waiting))
    oldest = GaugeMetricFamily(
        "runbook_oldest_message_timestamp_seconds", "Time the oldest queued notification was queued"
    )
    if waiting:
        oldest.add_metric([], min(one.queued_at for one in waiting).timestamp())
    yield oldest


def _families(services: Mapping[str, ServiceNumbers]) -> Iterator[Metric]:
    kinds = [(GaugeMetricFamily, one) for one in GAUGES] + [(CounterMetricFamily, one) for one in COUNTERS]
    for kind, definition in kinds:
        family = kind(definition.name, definition.text, labels=["service", *definition.labels])
        for name, one in services.items():
            for labels, value in definition.series(one).items():
                family.add_metric([name, *labels], value)
        yield family
    for durations in HISTOGRAMS:
        histogram = HistogramMetricFamily(durations.name, durations.text, labels=["service"])
        for name, one in services.items():
            found = durations.durations(one.numbers)
            histogram.add_metric([name], found.buckets, found.sum_s)
        yield histogram
