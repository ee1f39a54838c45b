"""The ledger both sides write: whole lines, healed tears, and no order that waits for it."""

import json
import threading
import time
from pathlib import Path

from filelock import FileLock

from order_service.runtime.codes import Code
from order_service.runtime.files import append_line
from order_service.telemetry.incidents import IncidentLog
from order_service.telemetry.routing_failures import REPORT_EVERY_S, RoutingFailures
from tests.order_service.desk import Desk, eventually, order


def test_a_torn_last_line_costs_itself_alone(tmp_path: Path) -> None:
    """A process killed in the middle of a line must not take the next fact with it."""
    ledger = tmp_path / "incidents.jsonl"
    ledger.write_bytes(b'{"type": "whole"}\n{"type": "to')

    append_line(ledger, b'{"type": "next"}')

    assert ledger.read_bytes().splitlines() == [b'{"type": "whole"}', b'{"type": "to', b'{"type": "next"}']


def test_many_writers_never_mix_their_lines(tmp_path: Path) -> None:
    """Two processes append here all the time."""
    ledger = tmp_path / "incidents.jsonl"
    lines = [json.dumps({"n": number, "pad": "x" * 500}).encode() for number in range(60)]

    threads = [threading.Thread(target=append_line, args=(ledger, line)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ledger.read_bytes().splitlines()) == sorted(lines)


async def test_a_ledger_locked_by_the_other_side_slows_no_order(desk: Desk) -> None:
    """The order path never waits for a file; the fact is written when the lock is free."""
    with FileLock(f"{desk.service.settings.incidents_path}.lock"):
        await desk.set("gateways/XNAS", state="degraded")
        started = time.monotonic()
        answers = [await desk.send(order()) for _ in range(20)]
        elapsed_s = time.monotonic() - started

    assert {answer.status_code for answer in answers} == {201}
    assert elapsed_s < 15
    await eventually(lambda: [r for r in desk.incidents() if r["type"] == "control_changed"])


async def test_every_record_has_the_ledgers_fields(desk: Desk) -> None:
    """The other side folds over these keys."""
    await desk.set("gateways/XNAS", state="degraded", source="triage")

    record = await eventually(lambda: [r for r in desk.incidents() if r["type"] == "control_changed"])

    assert set(record[0]) == {
        *("timestamp", "type", "service", "incident_id", "event", "source", "summary", "details"),
    }
    assert (record[0]["source"], record[0]["event"], record[0]["incident_id"]) == ("triage", "observed", None)


def test_failures_are_told_at_once_and_then_in_sums(tmp_path: Path) -> None:
    """The first lost order is news; the next thousand are a number."""
    now = [0.0]
    incidents = IncidentLog(tmp_path / "incidents.jsonl", "svc", lambda: None)
    failures = RoutingFailures(incidents, clock=lambda: now[0])
    key = ("equity", "XNAS", Code.GATEWAY_UNREACHABLE)

    for number in range(1000):
        failures.note(key, f"o-{number}", "refused")
    failures.report_sums()
    now[0] = REPORT_EVERY_S
    failures.report_sums()
    incidents.close()

    lines = (tmp_path / "incidents.jsonl").read_text().splitlines()
    assert [json.loads(line)["details"]["count"] for line in lines] == [1, 999]


def test_failed_test_orders_are_counted_apart(tmp_path: Path) -> None:
    """Our own probes into a dead gateway are no lost orders of the desk."""
    incidents = IncidentLog(tmp_path / "incidents.jsonl", "svc", lambda: None)
    failures = RoutingFailures(incidents)
    key = ("equity", "XNAS", Code.GATEWAY_UNREACHABLE)

    failures.note(key, "probe", "refused", is_synthetic=True)
    incidents.close()

    details = json.loads((tmp_path / "incidents.jsonl").read_text())["details"]
    assert (details["count"], details["synthetic_count"]) == (1, 1)
