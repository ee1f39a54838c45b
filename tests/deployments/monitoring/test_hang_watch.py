"""A service that hangs is looked at within seconds, between the minutes; one that is stopped in order is not."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from deployments.monitoring.hang_watch import (
    ASK_AGAIN_S,
    EVENT,
    EVERY_S,
    MOST_OPEN_COUNT,
    SILENT_COUNT,
    SILENT_S,
    SOON_S,
    STOOD_STILL_S,
    HangWatch,
    ask_for_triage,
)
from tasks.clients.service.liveness import Question, ask_once
from tasks.model.probes.liveness import Answered, Liveness, OpenQuestion
from tasks.model.service.http_settings import HttpSettings
from tests.fakes.ports import free_port

NAME = "order-service"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Asked:
    """One question to the service, answered as soon as that speaks again."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self.asked_at, self.steady_s = NOW + timedelta(seconds=service.now_s), service.now_s
        self.closed = False

    def answer(self, within_s: float) -> Answered | None:
        """Wait on the service's own clock."""
        if not self._service.silent:
            return Answered(liveness=self._service.speaks)
        self._service.now_s += within_s
        return None

    def close(self) -> None:
        """Wait no longer."""
        self.closed = True


class Service:
    """A service that answers or not, a Prefect that takes an event or not, and the clock of both."""

    def __init__(self) -> None:
        self.silent = False
        self.speaks = Liveness.ANSWERS
        self.away = False
        self.now_s = 100.0
        self.told: list[str] = []
        self.asked: list[Asked] = []
        self.kept: list[tuple[OpenQuestion, ...]] = []

    def ask(self) -> Asked:
        """Take a question."""
        self.asked.append(Asked(self))
        return self.asked[-1]

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
    return HangWatch(NAME, service.ask, service.tell, service.kept.append, lambda: service.now_s)


def check(watch: HangWatch, service: Service, for_s: float = 0.0) -> None:
    """Check once, and then again for a while, as often as the watch does."""
    until_s = service.now_s + for_s
    watch.check(NOW)
    while service.now_s < until_s:
        service.now_s += SOON_S if watch.in_doubt else EVERY_S
        watch.check(NOW)


def test_one_late_answer_starts_nothing(service: Service) -> None:
    """A busy machine is late now and then; nobody's triage is spent on it."""
    watch = watch_of(service)
    for _ in range(3):
        service.silent = True
        check(watch, service)
        assert watch.in_doubt
        service.silent = False
        check(watch, service)
        assert not watch.in_doubt

    assert service.told == []
    assert all(one.closed for one in service.asked if one.steady_s < service.now_s)


def test_a_silence_starts_one_triage_however_long_it_lasts(service: Service) -> None:
    """The triage at work is not disturbed by others; the next hang gets one of its own."""
    watch = watch_of(service)
    service.silent = True
    check(watch, service, for_s=20)
    assert service.told == [NAME]
    service.silent = False
    check(watch, service)
    service.silent = True
    check(watch, service, for_s=3)

    assert service.told == [NAME, NAME]


def test_a_hang_is_reported_after_two_questions_and_a_second_and_a_half(service: Service) -> None:
    """Each earlier moment is one of a busy machine; each later one is lost to the desk."""
    watch, began_s = watch_of(service), service.now_s
    service.silent = True
    while not service.told:
        check(watch, service)
        service.now_s += SOON_S

    assert SILENT_S <= service.now_s - SOON_S - began_s <= SILENT_S + SOON_S
    assert len(service.asked) == SILENT_COUNT
    assert service.asked[1].steady_s - service.asked[0].steady_s >= ASK_AGAIN_S


def test_questions_stay_open_and_are_kept_with_how_long_they_have_waited(service: Service) -> None:
    """So that the triage need not wait for them again; one that is answered late ends the silence."""
    watch = watch_of(service)
    service.silent = True
    check(watch, service, for_s=5)
    kept = service.kept[-1]
    assert [one.steady_s for one in kept] == [one.steady_s for one in service.asked]
    assert kept[0].waited_s == pytest.approx(service.now_s - service.asked[0].steady_s)
    assert all(after.steady_s - one.steady_s >= ASK_AGAIN_S for one, after in pairwise(kept))

    service.silent = False
    check(watch, service)
    assert service.kept[-1] == ()
    assert all(one.closed for one in service.asked)


def test_a_long_silence_keeps_few_questions_open_and_asks_on(service: Service) -> None:
    """A service that answers only new connections is seen to be back."""
    watch = watch_of(service)
    service.silent = True
    check(watch, service, for_s=60)

    assert len(service.asked) > 50
    assert sum(not one.closed for one in service.asked) == len(service.kept[-1]) == MOST_OPEN_COUNT


def test_whoever_stood_still_itself_counts_nothing_of_that_time(service: Service) -> None:
    """A machine that slept has open questions that nobody could have answered."""
    watch = watch_of(service)
    service.silent = True
    check(watch, service)
    service.now_s += STOOD_STILL_S + 0.1
    check(watch, service)

    assert service.told == []
    assert service.asked[0].closed


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
    check(watch, service, for_s=3)
    service.away = False
    check(watch, service, for_s=2)

    assert service.told == [NAME]


def test_a_question_that_is_answered_late_is_answered() -> None:
    """It stays open for longer than the watch waits for it; what is cut off is no silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        late, cut = Question(url, HttpSettings()), Question(url, HttpSettings())
        connections = [listener.accept()[0] for _ in range(2)]
        assert (late.answer(0.0), cut.answer(0.0)) == (None, None)

        connections[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connections[1].close()
        assert late.answer(5.0) == Answered(liveness=Liveness.ANSWERS, detail="HTTP 200")
        assert cut.answer(5.0) == Answered(liveness=Liveness.FAILS, detail="the connection was cut off")
        connections[0].close()


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
