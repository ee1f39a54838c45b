"""What a run begins with holds no secret that somebody else wrote down."""

from datetime import UTC, datetime
from pathlib import Path

import orjson

from deployments.monitoring.alerts import read_webhook
from tasks.clients.process.commands import last_lines
from tasks.model.evidence.evidence import TriageRequest
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.triage.context import context_of

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def test_a_secret_in_an_incident_or_a_note_is_not_in_the_context(tmp_path: Path) -> None:
    """The context is handed from run to run, and kept with the evidence."""
    ledger = tmp_path / "incidents.jsonl"
    line = {
        "timestamp": "2026-11-30T11:59:00Z", "type": "service_down", "event": "opened", "service": "oms",
        "incident_id": "one", "source": "triage", "summary": "login failed password=Hunter-two-x", "details": {},
    }  # fmt: skip
    ledger.write_bytes(orjson.dumps(line) + b"\n")
    settings = RunbookSettings(state_dir=tmp_path / "state", services={"oms": ServiceSettings(incidents_file=ledger)})
    request = TriageRequest(service="oms", note="I tried Authorization: Bearer abcdefgh-12345")
    found = context_of(settings, request, NOW)

    assert [one.incident_id for one in found.open_incidents] == ["one"]
    assert "Hunter" not in found.model_dump_json()
    assert "abcdefgh" not in found.model_dump_json()


def test_a_secret_in_an_alert_reaches_no_parameter_of_a_run() -> None:
    """Prefect keeps the parameters of every run, and shows them to whoever opens its UI."""
    alert = {
        "status": "firing", "labels": {"alertname": "OrderServiceDown", "service": "oms"},
        "annotations": {"summary": "redis://u:Hunter-two-x@cache refused"}, "startsAt": "2026-11-30T11:59:00Z",
    }  # fmt: skip
    body = orjson.dumps({"version": "4", "groupKey": "g", "status": "firing", "alerts": [alert]})
    found = read_webhook(body, RunbookSettings(services={"oms": ServiceSettings()}))

    assert len(found.orders) == 1
    assert b"Hunter" not in orjson.dumps(found.orders[0].parameters)


def test_a_secret_in_a_window_s_reason_is_not_in_the_context(tmp_path: Path) -> None:
    """All that a run begins with is handed on and kept, whoever wrote it."""
    ledger = tmp_path / "incidents.jsonl"
    details = {"until": "2026-11-30T13:00:00Z", "reason": "new password=Hunter-two-x", "by": "redis://u:Hunter@cache"}
    window = {"timestamp": "2026-11-30T11:59:00Z", "type": "maintenance_started", "service": "oms"}
    line = {**window, "source": "operator", "summary": "x", "details": details}
    ledger.write_bytes(orjson.dumps(line) + b"\n")
    settings = RunbookSettings(state_dir=tmp_path / "state", services={"oms": ServiceSettings(incidents_file=ledger)})
    found = context_of(settings, TriageRequest(service="oms"), NOW)

    assert found.maintenance is not None
    assert "new password=[secret]" in found.maintenance.reason
    assert "Hunter" not in found.model_dump_json()


def test_the_last_words_of_a_start_hold_no_secret(tmp_path: Path) -> None:
    """They are notified to people, and stand in the ledger as the reason why a start failed."""
    log = tmp_path / "start.log"
    log.write_text("cannot reach postgres://oms:Hunter-two-x@db/orders\n", "utf-8")

    assert last_lines(log) == "cannot reach postgres://[secret]@db/orders"
