"""A service that hangs is looked at within seconds, between the minutes; one that is stopped in order is not."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deployments.monitoring.hang_watch import EVENT, HangWatch, ask_for_triage
from tasks.clients.service.liveness import ask_once
from tasks.model.probes.liveness import Answered, Liveness
from tasks.model.service.http_settings import HttpSettings
from tests.fakes.ports import free_port

NAME = "order-service"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Service:
    """A service that answers or not, and a Prefect that takes an event or not."""

    def __init__(self) -> None:
        self.silent = False
        self.away = False
        self.told: list[str] = []

    def ask(self) -> Answered:
        """Answer, or not."""
        return Answered(liveness=Liveness.SILENT if self.silent else Liveness.ANSWERS)

    def tell(self, service: str, now: datetime) -> bool:
        """Take the event, or not."""
        assert now >= NOW
        if not self.away:
            self.told.append(service)
        return not self.away


@pytest.fixture
def service() -> Service:
    """Give a service that answers."""
    return Service()


def watch_of(service: Service) -> HangWatch:
    """Watch it."""
    return HangWatch(NAME, service.ask, service.tell)


def check(watch: HangWatch, times: int) -> None:
    """Ask a few times."""
    for _ in range(times):
        watch.check(NOW)


def test_one_late_answer_starts_nothing(service: Service) -> None:
    """A busy machine is late now and then; nobody's triage is spent on it."""
    watch = watch_of(service)
    service.silent = True
    check(watch, 1)
    assert watch.in_doubt
    service.silent = False
    check(watch, 1)
    service.silent = True
    check(watch, 1)

    assert service.told == []


def test_a_silence_starts_one_triage_however_long_it_lasts(service: Service) -> None:
    """The triage at work is not disturbed by others; the next hang gets one of its own."""
    watch = watch_of(service)
    service.silent = True
    check(watch, 20)
    assert service.told == [NAME]
    assert not watch.in_doubt
    service.silent = False
    check(watch, 1)
    service.silent = True
    check(watch, 2)

    assert service.told == [NAME, NAME]


def test_what_was_seen_is_kept_with_its_times_and_begins_anew_after_a_pause(service: Service) -> None:
    """A page says since when a service has not answered, and never of a time in which nobody asked."""
    watch = watch_of(service)
    service.silent = service.away = True
    times = [NOW + timedelta(seconds=at) for at in (0, 1, 11)]
    seen: list[tuple[Liveness, datetime, datetime]] = []
    for at in times:
        watch.check(at)
        assert watch.seen
        seen.append((watch.seen.answered.liveness, watch.seen.since, watch.seen.asked_at))
    assert seen == [(Liveness.SILENT, NOW, at) for at in times]

    watch.check(NOW + timedelta(seconds=21.1))
    assert watch.seen
    assert watch.seen.since == NOW + timedelta(seconds=21.1), "the machine slept"
    service.silent = False
    watch.check(NOW + timedelta(seconds=22))
    assert watch.seen.answered.liveness is Liveness.ANSWERS
    assert watch.seen.since == NOW + timedelta(seconds=22)


def test_what_prefect_did_not_take_is_told_again(service: Service) -> None:
    """A server that restarts at the wrong moment costs a second, not the detection."""
    watch = watch_of(service)
    service.silent = service.away = True
    check(watch, 3)
    service.away = False
    check(watch, 2)

    assert service.told == [NAME]


def test_a_port_that_connects_and_says_nothing_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is how a stopped process looks from outside."""
    monkeypatch.setattr("tasks.clients.service.liveness.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answered = ask_once(f"http://127.0.0.1:{listener.getsockname()[1]}/health", HttpSettings())

    assert answered.liveness is Liveness.SILENT


def test_a_refused_connection_and_an_error_are_answers() -> None:
    """A restart in order, and a service that says that it is ill, are no hang: other checks are for them."""
    assert ask_once(f"http://127.0.0.1:{free_port()}/health", HttpSettings()).liveness is Liveness.REFUSED
    for status, liveness in ((200, Liveness.ANSWERS), (404, Liveness.ANSWERS), (500, Liveness.FAILS)):
        with server(status) as (url, _):
            assert ask_once(f"{url}/health", HttpSettings()) == Answered(liveness=liveness, detail=f"HTTP {status}")
    assert ask_once("http://no-such-host.invalid/health", HttpSettings()).liveness is Liveness.UNREACHABLE


def test_the_event_is_one_that_the_automation_of_incidents_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the service to look at, and a resource of its own, so that it is not held back with the service's."""
    with server(204) as (url, heard):
        monkeypatch.setenv("PREFECT_API_URL", f"{url}/api")
        assert ask_for_triage(NAME, NOW)
    ((path, (event,)),) = heard

    assert path == "/api/events"
    assert event["event"] == EVENT == "order-service.incident"
    assert event["resource"] == {
        "prefect.resource.id": f"order-service.watch.{NAME}",
        "prefect.resource.name": NAME,
    }


def test_without_a_server_nothing_is_said_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a hang would be called told that nobody heard of."""
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    assert not ask_for_triage(NAME, NOW)
    monkeypatch.delenv("PREFECT_API_URL")
    assert not ask_for_triage(NAME, NOW)


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Answer everything with one status, and keep what was posted."""
    heard: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, json.loads(body)))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", heard
        finally:
            running.shutdown()
            thread.join()
