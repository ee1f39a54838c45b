"""Telling never holds up healing: a run waits a moment for all its messages together, however dead Slack is."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.messages.deadline import within
from tasks.clients.messages.delivery_thread import HELD_UP_S, Sender
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.messages import Message
from tasks.notify.resend import resent
from tests.fakes.polling import eventually
from tests.fakes.slack.slack_api import FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import SERVICE, Telling, message, slack_settings

pytestmark = pytest.mark.live

# What one call may cost besides waiting: files that are forced to disk, on a machine that does other things, too.
OVERHEAD_S = 1.0
PAGES = [message(f"refused-{number}") for number in range(7)]


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


def always(ill: Ill) -> Iterator[Ill]:
    """The same fault for ever."""
    while True:
        yield ill


def sender(telling: Telling) -> Sender:
    """The sender of one process."""
    return Sender(telling.settings)


def timed(one: Sender, messages: list[Message]) -> tuple[float, list[bool]]:
    """Tell one after the other, as a flow does."""
    begun_s = time.monotonic()
    told = [one.tell(SERVICE, page) for page in messages]
    return time.monotonic() - begun_s, told


@pytest.mark.parametrize("ill", [Ill.SILENT, Ill.DRIPPING, Ill.BROKEN, Ill.DROPPED])
def test_seven_messages_to_a_dead_slack_hold_a_run_up_no_longer_than_the_bound(
    tmp_path: Path, fake: FakeSlack, ill: Ill
) -> None:
    """The service hangs while Slack is down: the restart must not wait for Slack."""
    fake.ills, fake.silent_s = always(ill), 30.0
    telling = Telling(tmp_path, slack_settings(fake, timeout_s=8)).opened()

    seconds_s, told = timed(sender(telling), PAGES)

    assert not any(told)
    assert seconds_s < HELD_UP_S + OVERHEAD_S
    assert len(telling.outbox.waiting()) == len(PAGES)


def test_a_slack_that_works_has_told_everybody_when_the_run_goes_on(tmp_path: Path, fake: FakeSlack) -> None:
    """The report says *told* where it was reported."""
    telling = Telling(tmp_path, slack_settings(fake)).opened()

    _, told = timed(sender(telling), PAGES[:2])

    assert told == [True, True]
    assert fake.texts() == [page.text for page in PAGES[:2]]


def test_what_did_not_arrive_in_the_moment_goes_on_being_sent(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the run heals, the page is on its way."""
    monkeypatch.setattr("tasks.rules.messages.retry.LEFT_ALONE_FOR", timedelta(seconds=0.3))
    fake.ills, fake.silent_s = iter([Ill.SILENT]), 30.0
    telling = Telling(tmp_path, slack_settings(fake, timeout_s=2)).opened()
    one = sender(telling)

    assert one.tell(SERVICE, PAGES[0]) is False
    eventually(lambda: telling.arrived() == [PAGES[0].key], within_s=20)

    assert fake.texts() == [PAGES[0].text]


def test_the_end_of_a_run_does_not_wait_for_a_slack_that_is_away(tmp_path: Path, fake: FakeSlack) -> None:
    """The next run starts in time, and sends what is left."""
    fake.ills = always(Ill.BROKEN)
    telling = Telling(tmp_path, slack_settings(fake)).opened()
    telling.queue(*PAGES)
    begun_s = time.monotonic()

    assert resent(telling.settings, limit_s=30) == len(PAGES)

    assert time.monotonic() - begun_s < 5


def test_the_end_of_a_run_sends_what_is_left(tmp_path: Path, fake: FakeSlack) -> None:
    """Also what Slack takes only after the second that it asked for."""
    fake.ills, fake.retry_after = iter([Ill.LIMITED]), "1"
    telling = Telling(tmp_path, slack_settings(fake)).opened()
    telling.queue(*PAGES)

    assert resent(telling.settings, limit_s=30) == 0

    assert len(fake.texts()) == len(PAGES)


def test_two_processes_that_tell_the_same_tell_it_once(tmp_path: Path, fake: FakeSlack) -> None:
    """A scheduled and a manual triage may see the same thing in the same second."""
    telling = Telling(tmp_path, slack_settings(fake)).opened()
    one, other = sender(telling), sender(telling)
    for page in PAGES:
        one.tell(SERVICE, page)
        other.tell(SERVICE, page)
    one.wait(10)
    other.wait(10)

    assert sorted(fake.texts()) == sorted(page.text for page in PAGES)
    assert sorted(telling.told()) == sorted(page.key for page in PAGES)


def test_the_local_file_needs_no_thread_and_no_moment(tmp_path: Path) -> None:
    """With nothing set, what is told is reported when the call returns."""
    telling = Telling(tmp_path).opened()

    assert sender(telling).tell(SERVICE, message("desk-fx", Audience.DESK)) is True
    assert telling.arrived() == [message("desk-fx", Audience.DESK).key]


def test_a_round_that_breaks_off_keeps_its_messages(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of our own must cost no page."""
    telling = Telling(tmp_path, slack_settings(fake)).opened()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of our own")

    with monkeypatch.context() as patched:
        patched.setattr("tasks.clients.messages.delivery_thread.send_all", broken)
        one = sender(telling)
        assert one.tell(SERVICE, PAGES[0]) is False
        one.wait(5)
    assert sender(telling).tell(SERVICE, PAGES[1]) is True

    assert fake.texts() == [PAGES[0].text, PAGES[1].text]


def test_a_call_that_drips_is_ended_by_its_deadline() -> None:
    """A server that sends a byte at a time keeps every socket timeout happy."""
    released = threading.Event()
    begun_s = time.monotonic()

    with pytest.raises(TimeoutError):
        within(0.1, lambda: released.wait(60))

    assert time.monotonic() - begun_s < 30
    released.set()


def test_what_a_call_raises_is_raised() -> None:
    """A deadline hides no fault."""
    with pytest.raises(ZeroDivisionError):
        within(1.0, lambda: 1 / 0)
