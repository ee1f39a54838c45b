"""What can be asked for: the metrics of the order service, our own, and what the recording rules make of them."""

import sys
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from deployments.monitoring.exposition import Exposition
from order_service.telemetry.metrics import Metrics
from tasks.clients.evidence.history import history_path, note_finished, remember_observation
from tasks.model.probes.history import PastObservation
from tasks.settings import RunbookSettings
from tests.house.source import REPOSITORY

FOLDER = REPOSITORY / "deployments" / "monitoring"
# What Prometheus adds to every series it scrapes, and our scrape config to those of the order service.
TARGET_LABELS = frozenset({"job", "instance", "service"})


def read_yaml(name: str) -> Any:
    """Read one file of the monitoring."""
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def rules(name: str) -> list[dict[str, Any]]:
    """List the rules of one file."""
    return [rule for group in read_yaml(name)["groups"] for rule in group["rules"]]


@cache
def exposed() -> dict[str, frozenset[str]]:
    """Find the labels of every metric that either side exposes, by scraping one with a sample of everything."""
    found: dict[str, set[str]] = defaultdict(set)
    for text in (order_service_text(), runbook_text()):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] |= set(sample.labels)
    return {name: frozenset(labels) for name, labels in found.items()}


@cache
def known() -> dict[str, frozenset[str]]:
    """Add what Prometheus makes itself, and what is recorded."""
    recorded = {rule["record"]: frozenset({"section"}) for rule in rules("recording_rules.yml")}
    return {**exposed(), "up": frozenset(), "ALERTS": frozenset({"alertname", "alertstate"}), **recorded}


def is_known(name: str) -> bool:
    """Say whether a metric exists; the process's own are reported on Linux alone."""
    return name in known() or (name.startswith("process_") and sys.platform != "linux")


def order_service_text() -> str:
    """Let the real metrics of the order service tell one of everything."""
    metrics = Metrics("1.0.0")
    metrics.order_done("equity", "XNAS", "filled", 0.01)
    metrics.gateway_answered("XNAS", 0.01)
    metrics.strategy_asked("alpha")
    metrics.order_invalid("INVALID_ORDER")
    metrics.order_denied("equity", "NO_ROUTE")
    metrics.order_resolved("filled")
    metrics.duplicate_fills.labels("XNAS").inc()
    metrics.gateway_up.labels("XNAS").set(1)
    metrics.gateway_latency.labels("XNAS").set(0.001)
    metrics.feature_enabled.labels("smart").set(1)
    metrics.trading_state.labels("equity").set(2)
    return metrics.render().decode()


def runbook_text() -> str:
    """Let our own endpoint tell of one watched service."""
    with TemporaryDirectory() as folder:
        service = {
            "synthetic_orders": {"equity": {"symbol": "ZVZZT"}},
            "gateways": {"XNAS": "http://127.0.0.1:8701"},
        }
        settings = RunbookSettings.model_validate({"state_dir": Path(folder), "services": {"order-service": service}})
        remember_observation(
            history_path(settings, "order-service"), PastObservation(at=datetime.now(UTC), status="ok")
        )
        note_finished(history_path(settings, "order-service"), datetime.now(UTC))
        return Exposition(settings).text().decode()
