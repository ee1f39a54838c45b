"""Take what Alertmanager sends, and say which triages it starts."""

import hashlib
from typing import Any

import orjson

from tasks.clients.messages.known_secrets import secret_values
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import AlertType
from tasks.model.values import Value
from tasks.rules.formats.json_values import number_of, table_of, text_of
from tasks.rules.incidents.alertmanager import service_of
from tasks.rules.messages.redaction import cleaned
from tasks.settings import RunbookSettings

# Prefect refuses parameters over 512 KiB; Alertmanager sends `max_alerts` at most.
BODY_LIMIT_BYTES = 262_144
TYPE_LABEL = "incident_type"
# The form of the flow takes no longer note.
NOTE_LIMIT_COUNT = 2000


class TriageOrder(Value):
    """One triage to start. `key` is the same for the same alerts, however often and by whomever they are sent."""

    service: str
    alert: AlertType | None
    payload: dict[str, Any]
    key: str
    note: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        named = {"alert": self.alert, "note": self.note}
        return {
            "service": self.service,
            **{name: value for name, value in named.items() if value},
            "payload": self.payload,
        }


class Webhook(Value):
    """What one webhook asks for: a triage for each service that it names, and in words what started none."""

    orders: tuple[TriageOrder, ...] = ()
    refused: tuple[str, ...] = ()


def read_webhook(body: bytes, settings: RunbookSettings) -> Webhook:
    """Read one webhook: each firing alert goes into the triage of its own service; a resolved one into none.

    Errors: `BAD_ARGUMENT` for what is no webhook of Alertmanager; `UNKNOWN_SERVICE` where no alert is for a service
    that is watched. An alert that is for none, beside others that are, is among the refused.
    Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4.
    """
    # What a run is given is kept in its database and shown in its UI.
    payload = cleaned(_table(body), secret_values(settings))
    groups: dict[str, list[dict[str, Any]]] = {}
    refused: list[RunbookError] = []
    for alert in payload["alerts"]:
        try:
            service = _service_of(alert, payload, settings)
        except RunbookError as error:
            refused.append(error)
            continue
        if service is not None:
            groups.setdefault(service, []).append(alert)
    if refused and not groups:
        raise refused[0]
    words = tuple(dict.fromkeys((*map(str, refused), *_truncated(payload))))
    return Webhook(
        orders=tuple(_order(service, alerts, payload, words) for service, alerts in groups.items()), refused=words
    )


def _service_of(alert: object, payload: dict[str, Any], settings: RunbookSettings) -> str | None:
    """Name the service of one alert; None where it does not fire any more."""
    if not isinstance(alert, dict):
        raise _refused("an alert that is no object")
    status = text_of(alert, "status", 40)
    if status == "resolved":
        return None
    if status != "firing":
        raise _refused(f"an alert with status {status!r}")
    return settings.named(service_of(alert, payload))


def _order(
    service: str, alerts: list[dict[str, Any]], payload: dict[str, Any], refused: tuple[str, ...]
) -> TriageOrder:
    kinds = {word for one in alerts if (word := text_of(table_of(one, "labels"), TYPE_LABEL, 200)) in set(AlertType)}
    beside = f"Of the same webhook, no triage was started for: {'; '.join(refused)}" if refused else ""
    return TriageOrder(
        service=service,
        alert=AlertType(kinds.pop() or "") if len(kinds) == 1 else None,
        payload={**payload, "alerts": alerts},
        key=_key(service, payload, alerts),
        note=beside[:NOTE_LIMIT_COUNT],
    )


def _table(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refused(f"{str(error)[:100]}") from None
    if not isinstance(found, dict) or not isinstance(found.get("alerts"), list):
        raise _refused("no list of alerts")
    return found


def _truncated(payload: dict[str, Any]) -> tuple[str, ...]:
    count = number_of(payload, "truncatedAlerts")
    return (f"{count:.0f} alerts that Alertmanager cut off; raise max_alerts",) if count and count > 0 else ()


def _key(service: str, payload: dict[str, Any], firing: list[dict[str, Any]]) -> str:
    # A firing that goes on is sent again every `repeat_interval`, and by each Alertmanager of a pair.
    alerts = sorted({f"{one.get('fingerprint') or one.get('labels')}@{one.get('startsAt')}" for one in firing})
    identity = orjson.dumps([str(payload.get("groupKey")), service, *alerts])
    return f"alert-{hashlib.sha256(identity).hexdigest()[:32]}"


def _refused(reason: str) -> RunbookError:
    return RunbookError(Code.BAD_ARGUMENT, f"expected Alertmanager's webhook, version 4, was {reason}; see its URL")
