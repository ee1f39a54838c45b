"""Read an alert as Alertmanager's webhook sends it: which one fires, since when, for which asset class (§1.1)."""

from collections.abc import Mapping
from typing import Any

from tasks.model.evidence.evidence import AlertSeen
from tasks.model.probes.orders import AssetClass
from tasks.rules.formats.json_values import table_of, text_of
from tasks.rules.formats.time import parse_time

ALERTS_LIMIT_COUNT = 1000
SERVICE_LABEL = "service"
NAME_LIMIT_COUNT = 200


def read_alert(payload: Mapping[str, Any] | None, service: str) -> AlertSeen | None:
    """Take the longest-firing alert of one service out of a payload; an alert that names no service is about each.

    Runbook: §1.1 Which alert fired, and when did it start.
    Errors: none; a payload that names no firing alert of the service is None, and the run is a routine check.
    Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4.
    """
    table = dict(payload or {})
    listed = table.get("alerts")
    alerts = listed[:ALERTS_LIMIT_COUNT] if isinstance(listed, list) else [table]
    about = (one for one in alerts if isinstance(one, dict) and (service_of(one, table) or service) == service)
    seen = [found for one in about if (found := _one(one, table)) is not None]
    dated = [(one.began_at, number) for number, one in enumerate(seen) if one.began_at is not None]
    if dated:
        return seen[min(dated)[1]]
    return seen[0] if seen else None


def service_of(alert: dict[str, Any], payload: dict[str, Any]) -> str | None:
    """Read which service an alert is about; a group's common label holds for each of its alerts."""
    own = text_of(table_of(alert, "labels"), SERVICE_LABEL, NAME_LIMIT_COUNT)
    return own or text_of(table_of(payload, "commonLabels"), SERVICE_LABEL, NAME_LIMIT_COUNT) or None


def _one(alert: dict[str, Any], payload: dict[str, Any]) -> AlertSeen | None:
    labels = {**(table_of(payload, "commonLabels") or {}), **(table_of(alert, "labels") or {})}
    notes = {**(table_of(payload, "commonAnnotations") or {}), **(table_of(alert, "annotations") or {})}
    name = text_of(labels, "alertname", 200)
    if name is None or text_of(alert, "status", 40) == "resolved":
        return None
    return AlertSeen(
        name=name,
        began_at=parse_time(alert.get("startsAt")),
        asset_class=AssetClass.read(labels.get("asset_class")),
        summary=text_of(notes, "summary", 500) or text_of(notes, "description", 500) or "",
    )
