"""Take what Alertmanager sends, and say which triage it starts."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from tasks.model.errors import Code, RunbookError
from tasks.model.incident import AlertType
from tasks.model.values import Value
from tasks.rules.alert_payload import ALERTS_LIMIT_COUNT
from tasks.rules.json_values import table_of, text_of
from tasks.settings import RunbookSettings

# Prefect refuses parameters over 512 KiB; Alertmanager sends `max_alerts` at most.
BODY_LIMIT_BYTES = 262_144
SERVICE_LABEL = "service"
TYPE_LABEL = "incident_type"


class TriageOrder(Value):
    """One triage to start. `key` is the same for the same alerts, however often and by whomever they are sent."""

    service: str
    alert: AlertType | None
    payload: dict[str, Any]
    key: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the flow."""
        alert = {"alert": self.alert} if self.alert else {}
        return {"service": self.service, **alert, "payload": self.payload}


def read_webhook(body: bytes, settings: RunbookSettings) -> TriageOrder | None:
    """Read one webhook; None when nothing in it fires any more.

    Errors: `BAD_ARGUMENT` for what is no webhook of Alertmanager, `UNKNOWN_SERVICE` for one of nobody that is watched.
    Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4.
    """
    payload = _table(body)
    firing = list(_firing(payload))
    if not firing:
        return None
    labels = [table_of(one, "labels") or {} for one in firing]
    named = {name for one in labels if (name := text_of(one, SERVICE_LABEL, 200))}
    kinds = {word for one in labels if (word := text_of(one, TYPE_LABEL, 200)) in set(AlertType)}
    return TriageOrder(
        service=_service(named, settings),
        alert=AlertType(kinds.pop() or "") if len(kinds) == 1 else None,
        payload=payload,
        key=_key(payload, firing),
    )


def _table(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refused(f"{str(error)[:100]}") from None
    if not isinstance(found, dict) or not isinstance(found.get("alerts"), list):
        raise _refused("no list of alerts")
    return found


def _firing(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in payload["alerts"][:ALERTS_LIMIT_COUNT]:
        if isinstance(one, dict) and text_of(one, "status", 40) == "firing":
            yield one


def _service(named: set[str], settings: RunbookSettings) -> str:
    watched = sorted(named & set(settings.services))
    if not named:
        return settings.only_service()
    if not watched:
        settings.service(min(named))
    return watched[0]


def _key(payload: dict[str, Any], firing: list[dict[str, Any]]) -> str:
    # A firing that goes on is sent again every `repeat_interval`, and by each Alertmanager of a pair.
    alerts = sorted(f"{one.get('fingerprint')}@{one.get('startsAt')}" for one in firing)
    told = orjson.dumps([str(payload.get("groupKey")), *alerts])
    return f"alert-{hashlib.sha256(told).hexdigest()[:32]}"


def _refused(reason: str) -> RunbookError:
    return RunbookError(Code.BAD_ARGUMENT, f"expected Alertmanager's webhook, version 4, was {reason}; see its URL")
