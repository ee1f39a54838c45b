"""What becomes of follow-ups by themselves: each tier is reminded once a day, and a ticket system takes each once."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.messages.local_file import read_deliveries
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.postmortem.follow_up import FollowUp
from tasks.notify.attend_follow_ups import attended
from tasks.settings import RunbookSettings
from tasks.work.postmortem.documents import write_document
from tasks.work.postmortem.kept_follow_ups import change_follow_up, is_quiet, list_follow_ups, load
from tests.fakes.incident.story import INCIDENT, SERVICE, gateway_story


@pytest.fixture
def settings(tmp_path: Path) -> RunbookSettings:
    """An incident that is over, with its postmortem."""
    found = gateway_story(tmp_path).settings
    write_document(found, SERVICE, INCIDENT)
    return found


def items(settings: RunbookSettings) -> dict[str, FollowUp]:
    """All follow-ups by id."""
    return {one.follow_up_id: one for one in list_follow_ups(settings)[0]}


def first(settings: RunbookSettings, tier: Audience = Audience.TIER_3) -> FollowUp:
    """One of a tier."""
    return next(one for one in list_follow_ups(settings)[0] if one.tier is tier and one.is_open)


def later(days: int) -> datetime:
    """A time some days from now."""
    return datetime.now(UTC) + timedelta(days=days)


def sent(settings: RunbookSettings) -> list[tuple[str, str]]:
    """The reminders, to whom and with which words."""
    found = read_deliveries(settings.notifications_path)
    return [(one.audience.value, one.text) for one in found if one.incident_id == "follow-ups"]


def test_each_tier_is_reminded_once_a_day_of_what_is_overdue(settings: RunbookSettings) -> None:
    """On the day itself there is time; after it, one message a day and not one each minute."""
    attended(settings, SERVICE, later(14))
    assert sent(settings) == []

    for _ in range(2):
        attended(settings, SERVICE, later(15))
    audiences = [audience for audience, _ in sent(settings)]
    assert sorted(audiences) == sorted(set(audiences))
    assert "tier_3" in audiences
    attended(settings, SERVICE, later(16))
    assert len(sent(settings)) == 2 * len(audiences)


def test_the_words_of_a_reminder(settings: RunbookSettings) -> None:
    """What is overdue, since when, whose it is, and what to type."""
    for one in list_follow_ups(settings)[0]:
        if one.tier is not Audience.TIER_3 or one != first(settings):
            change_follow_up(
                settings, one.follow_up_id, lambda each: each.model_copy(update={"done_at": later(0), "done_by": "Ada"})
            )
    one = first(settings)
    attended(settings, SERVICE, later(20))

    ((audience, text),) = sent(settings)
    assert audience == "tier_3"
    assert text == (
        f"1 follow-up is overdue since {one.due}, order-service, tier 3, SRE and platform. "
        f"{one.follow_up_id} (Ada, due {one.due}): Take it up with the venue or its network, with the times and the "
        "samples above. Done: `runbook follow-ups done ID`; more time: `runbook follow-ups due ID DATE`."
    )


def test_two_runs_at_once_remind_once(settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has read the store before the first one wrote into it; its key is the same."""
    with monkeypatch.context() as killed:
        killed.setattr("tasks.notify.attend_follow_ups.change_all", lambda *_: None)
        attended(settings, SERVICE, later(20))
    attended(settings, SERVICE, later(20))

    audiences = [audience for audience, _ in sent(settings)]
    assert sorted(audiences) == sorted(set(audiences))


def test_a_healthy_minute_reads_one_small_file(settings: RunbookSettings, tmp_path: Path) -> None:
    """It rests until the next day, or until somebody changes something."""
    assert is_quiet(tmp_path / "other", SERVICE, later(0))
    assert not is_quiet(settings.state_dir, SERVICE, later(0))
    attended(settings, SERVICE, later(0))
    assert is_quiet(settings.state_dir, SERVICE, later(0))
    assert not is_quiet(settings.state_dir, SERVICE, later(1))
    change_follow_up(settings, first(settings).follow_up_id, lambda one: one.model_copy(update={"owner": "max"}))
    assert not is_quiet(settings.state_dir, SERVICE, later(0))


class Tickets(HTTPServer):
    """A ticket system that answers as it is set to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = 201
        self.taken: list[tuple[str, dict[str, Any]]] = []


class Taking(BaseHTTPRequestHandler):
    """Keep what is posted."""

    server: Tickets

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers["Idempotency-Key"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def tickets() -> Iterator[Tickets]:
    """A ticket system of this test alone."""
    server = Tickets()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def handing(settings: RunbookSettings, port: int) -> RunbookSettings:
    """The same settings with the address of the ticket system."""
    table = settings.model_dump(include={"state_dir", "services"})
    return RunbookSettings.model_validate(
        {**table, "follow_ups": {"webhook_url": f"http://127.0.0.1:{port}/secret-path", "timeout_s": 2}}
    )


def test_each_is_handed_over_once_with_a_stable_id(settings: RunbookSettings, tickets: Tickets) -> None:
    """A repeat makes no second ticket."""
    asked = handing(settings, tickets.server_port)
    attended(asked, SERVICE, later(0))
    attended(asked, SERVICE, later(0))

    ids = [key for key, _ in tickets.taken]
    assert sorted(ids) == sorted(items(settings))
    key, document_ = tickets.taken[0]
    assert document_["id"] == key
    assert document_["incident_id"] == INCIDENT
    assert {"title", "reason", "owner", "tier", "due", "service", "source", "created_at"} <= document_.keys()
    assert is_quiet(settings.state_dir, SERVICE, later(0))


def test_what_is_not_taken_is_tried_again_and_reported(settings: RunbookSettings, tickets: Tickets) -> None:
    """Whoever waits for the ticket learns that there is none; the address is in no message."""
    tickets.status = 503
    asked, now = handing(settings, tickets.server_port), later(0)
    attended(asked, SERVICE, now)
    assert {one.fault for one in items(settings).values()} == {"http_status=503"}
    ((audience, text),) = sent(settings)
    assert audience == "tier_3"
    assert text.startswith(f"The ticket system does not take {len(items(settings))} follow-ups of order-service: ")
    assert "secret-path" not in text

    count = len(tickets.taken)
    attended(asked, SERVICE, now + timedelta(minutes=1))
    assert len(tickets.taken) == count, "it rests for 5 min"
    tickets.status = 409
    attended(asked, SERVICE, now + timedelta(minutes=6))
    assert {(one.fault, bool(one.handed_at)) for one in items(settings).values()} == {("", True)}
    assert len(sent(settings)) == 1


def test_a_ticket_system_that_is_gone_costs_one_deadline(settings: RunbookSettings, tickets: Tickets) -> None:
    """Eight follow-ups that wait for it would hold the run up eight times."""
    port = tickets.server_port
    tickets.server_close()
    attended(handing(settings, port), SERVICE, later(0))

    assert sum(bool(one.tried_at) for one in items(settings).values()) == 1
    kept = load(settings.state_dir, INCIDENT)
    assert kept is not None
    assert any("no answer" in one.fault for one in kept.items)
