"""The rota is checked after triages: a gap is reported once, and a healthy minute pays for one look at a file."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.rota import report_rota_gaps
from flows.triage import triage
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.people.calendar_refresh import refresh_calendars
from tasks.clients.people.kept_calendar import FOLDER, read_kept
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.messages import Message
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.people.rota_check import EVERY_S, check_rota

pytestmark = pytest.mark.live
NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
ENDS_TOMORROW = {"rotation": ["ada"], "starts": "2026-11-30", "ends": "2026-12-03", "shift": "1d"}


def settings_of(tmp_path: Path, **rota: Any) -> RunbookSettings:
    """A host whose tier 1 has a rota."""
    known = {"services": {"order-service": ServiceSettings()}, "people": {"ada": {}}}
    return RunbookSettings.model_validate({"state_dir": tmp_path, "on_call": {"tier_1": rota}, **known})


def later(settings: RunbookSettings) -> None:
    """Let the last check be long ago."""
    stamp = settings.state_dir / FOLDER / "checked"
    os.utime(stamp, (time.time() - EVERY_S - 1,) * 2)


def test_a_gap_is_sent_once_and_stands_in_the_ledger(tmp_path: Path) -> None:
    """The timer outlives every process."""
    settings, sent = settings_of(tmp_path, **ENDS_TOMORROW), list[Message]()

    def send(service: str, message: Message) -> bool:
        sent.append(message)
        return service == "order-service"

    assert check_rota(settings, NOW, send) == 1
    later(settings)
    assert check_rota(settings, NOW + timedelta(minutes=16), send) == 0

    assert [one.audience for one in sent] == [Audience.TIER_1, Audience.TIER_3]
    assert sent[0].text.startswith("Nobody is on call for tier 1 from 2026-12-03 08:00Z until")
    (record,) = read_ledger(settings.ledger("order-service")).records
    assert (record.type, record.details["tier"]) == ("rota_gap", "tier_1")


def test_it_checks_at_most_every_quarter_of_an_hour(tmp_path: Path) -> None:
    """A triage runs every minute."""
    settings, sent = settings_of(tmp_path, **ENDS_TOMORROW), list[str]()

    def send(_: str, message: Message) -> bool:
        # As where the ledger could not be written: nothing but the stamp keeps the next check away.
        (tmp_path / "incidents.jsonl").unlink(missing_ok=True)
        sent.append(message.key)
        return True

    assert [check_rota(settings, NOW, send) for _ in range(3)] == [1, 0, 0]


def test_without_a_rota_nothing_is_read_or_written(tmp_path: Path) -> None:
    """Who has no rota pays nothing."""
    settings = RunbookSettings.model_validate({"state_dir": tmp_path, "services": {"order-service": {}}})

    assert check_rota(settings, NOW, lambda *_: True) == 0
    assert list(tmp_path.iterdir()) == []


def test_every_triage_ends_with_the_check() -> None:
    """A hook of the flow: no run waits for it, and it fails none."""
    assert triage.on_completion_hooks is not None
    assert report_rota_gaps in triage.on_completion_hooks


@pytest.fixture
def address() -> Iterator[tuple[str, dict[str, Any]]]:
    """A calendar behind an address, and what it answers."""
    says: dict[str, Any] = {"status": 200, "body": b"", "asked": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            says["asked"] += 1
            self.send_response(says["status"])
            self.send_header("content-length", str(len(says["body"])))
            self.end_headers()
            self.wfile.write(says["body"])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/secret-rota.ics", says
    server.shutdown()
    server.server_close()


def test_a_calendar_behind_an_address_is_kept_while_it_is_away(
    tmp_path: Path, address: tuple[str, dict[str, Any]]
) -> None:
    """What was read counts until it can be read again; the address stands in no file."""
    url, says = address
    event = "BEGIN:VEVENT\nUID:1\nDTSTART:20261201T080000Z\nDTEND:20261208T080000Z\nSUMMARY:ada\nEND:VEVENT"
    says["body"] = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{event}\nEND:VCALENDAR\n".encode()
    settings = settings_of(tmp_path, calendar_url=url)
    refresh_calendars(settings, NOW)
    says["status"] = 503
    refresh_calendars(settings, NOW + timedelta(minutes=15))

    kept = read_kept(settings, Audience.TIER_1)
    assert kept is not None
    assert ([one.person for one in kept.shifts], kept.read_at) == (["ada"], NOW)
    assert kept.fault == "its address answers 503"
    assert says["asked"] == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"secret-rota" in path.read_bytes()]


def test_an_address_that_answers_nothing_is_one_line(tmp_path: Path) -> None:
    """The port of nobody."""
    settings = settings_of(tmp_path, calendar_url="http://127.0.0.1:9/rota.ics")
    refresh_calendars(settings, NOW)

    kept = read_kept(settings, Audience.TIER_1)
    assert kept is not None
    assert kept.fault == "its address gives no answer that can be read (refused)"
