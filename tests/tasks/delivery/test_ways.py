"""Which way a message takes: Slack, then the fallback, then the next tier; and never twice."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tests.fakes.mailbox import Mailbox, mailbox
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import INCIDENT, Telling, message, slack_settings, with_file

pytestmark = pytest.mark.live


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    """Somewhere that an Apprise URL leads to."""
    with mailbox() as one:
        yield one


def always(ill: Ill) -> Iterator[Ill]:
    """The same fault for ever."""
    while True:
        yield ill


def lines(telling: Telling) -> list[tuple[str, str, bool]]:
    """The sink in short."""
    return [(one.audience.value, one.channel, one.delivered) for one in telling.deliveries]


def test_with_nothing_set_everything_shows_in_the_file(tmp_path: Path) -> None:
    """A desk without an account sees every message, as delivered."""
    telling = Telling(tmp_path).opened()
    telling.queue(message(), message("desk-fx", Audience.DESK))
    telling.round()

    raw = [json.loads(line) for line in (tmp_path / "notifications.jsonl").read_text("utf-8").splitlines()]
    assert {"timestamp", "incident_id", "audience", "channel", "text", "delivered"} <= raw[0].keys()
    assert lines(telling) == [("tier_1", "local", True), ("desk", "local", True)]
    assert sorted(telling.told()) == [message("desk-fx", Audience.DESK).key, message().key]
    assert telling.outbox.waiting() == ()


@pytest.mark.parametrize("ill", [Ill.BROKEN, Ill.HTML, Ill.DROPPED, Ill.SILENT, Ill.NOT_OK, Ill.DRIPPING])
def test_a_slack_that_is_down_sends_a_page_to_the_next_channel(
    tmp_path: Path, fake: FakeSlack, mail: Mailbox, ill: Ill
) -> None:
    """Slack and the order service may lie on the same broken network."""
    fake.ills = always(ill)
    telling = Telling(tmp_path, slack_settings(fake), {"tier_1": [mail.url]}).opened()
    telling.queue(message(text="the words", run_url="http://ui/runs/flow-run/1"))
    telling.round()

    (mailed,) = mail.taken
    assert mailed["message"].startswith("the words")
    assert "Run: http://ui/runs/flow-run/1" in mailed["message"]
    assert lines(telling) == [("tier_1", "json", True)]
    assert telling.told() == [message().key]


def test_what_the_next_channel_took_is_not_said_again_when_slack_comes_back(
    tmp_path: Path, fake: FakeSlack, mail: Mailbox
) -> None:
    """One page is one page."""
    fake.ills = iter([Ill.BROKEN])
    telling = Telling(tmp_path, slack_settings(fake), {"tier_1": [mail.url]}).opened()
    telling.queue(message())
    telling.rounds(3)

    assert (len(mail.taken), fake.texts()) == (1, [])


def test_a_page_that_no_channel_takes_goes_to_the_next_tier_and_is_sent_when_its_own_is_back(
    tmp_path: Path, fake: FakeSlack, mail: Mailbox
) -> None:
    """Safety rule 13: an undelivered page goes to the next channel and tier."""
    fake.ills = iter([Ill.BROKEN])
    telling = Telling(tmp_path, slack_settings(fake), {"tier_3": [mail.url]}).opened()
    telling.queue(message(text="service hung"))
    telling.round()

    assert lines(telling) == [("tier_3", "json", True), ("tier_1", "slack", False)]
    assert mail.taken[0]["message"].startswith(
        "service hung\nFor tier 1; sent to you because no channel of theirs takes messages now."
    )
    assert telling.incident.tier is Audience.TIER_3
    assert telling.told() == [f"{INCIDENT}/tier_3/undelivered"]

    telling.rounds(3)
    assert fake.texts() == ["service hung"]
    assert lines(telling)[2:] == [("tier_1", "slack", True)]
    assert len(mail.taken) == 1


def test_a_tier_is_told_each_undelivered_page_once_however_many_runs_fail(
    tmp_path: Path, fake: FakeSlack, mail: Mailbox
) -> None:
    """An outage of an hour is sixty runs."""
    fake.ills = always(Ill.BROKEN)
    telling = Telling(tmp_path, slack_settings(fake), {"tier_2": [mail.url]}).opened()
    telling.queue(message("opened"), message("exhausted"))
    telling.rounds(6)

    assert len(mail.taken) == 2
    assert len(lines(telling)) == 4


def test_a_broken_channel_of_one_audience_leaves_the_others_alone(tmp_path: Path, fake: FakeSlack) -> None:
    """An archived channel of the desk is no outage of Slack."""
    telling = Telling(tmp_path, slack_settings(fake, desk={"channel": "C0GONE"})).opened()
    telling.queue(message("desk-fx", Audience.DESK, text="the notice"), message())
    telling.round()

    assert fake.texts() == [
        "the notice\nFor desk; sent to you because no channel of theirs takes messages now.",
        "about opened",
    ]
    assert ("desk", "slack", False) in lines(telling)


def test_a_tier_for_which_nothing_is_set_is_told_in_the_file_and_pages_nobody_else(
    tmp_path: Path, mail: Mailbox
) -> None:
    """What is for tier 1 to know must not wake the platform."""
    telling = Telling(tmp_path, {}, {"tier_3": [mail.url]}).opened()
    telling.queue(message())
    telling.round()

    assert lines(telling) == [("tier_1", "local", True)]
    assert mail.taken == []


def test_an_hour_that_slack_asks_for_is_given(tmp_path: Path, fake: FakeSlack, mail: Mailbox) -> None:
    """Retry-After is honoured by every later run; the page goes another way."""
    fake.ills, fake.retry_after = iter([Ill.LIMITED]), "3600"
    telling = Telling(tmp_path, slack_settings(fake), {"tier_1": [mail.url]}).opened()
    telling.queue(message("opened"))
    telling.round()
    calls = len(fake.calls)
    telling.queue(message("again-1"))
    telling.rounds(30)
    assert len(fake.calls) == calls
    assert len(mail.taken) == 2

    telling.now += timedelta(hours=1)
    telling.queue(message("again-2"))
    telling.round()
    assert fake.texts() == ["about again-2"]


def test_a_second_that_slack_asks_for_is_waited_for(tmp_path: Path, fake: FakeSlack, mail: Mailbox) -> None:
    """Seven notices in one second are limited at times; that is no reason to mail them."""
    fake.ills, fake.retry_after = iter([Ill.LIMITED]), "1"
    telling = Telling(tmp_path, slack_settings(fake), {"tier_1": [mail.url]}).opened()
    telling.queue(message())
    telling.round()
    assert (mail.taken, lines(telling)) == ([], [])

    telling.now += timedelta(seconds=2)
    telling.round()
    assert fake.texts() == ["about opened"]
    assert mail.taken == []


def test_a_slack_that_always_asks_for_another_second_is_given_up(
    tmp_path: Path, fake: FakeSlack, mail: Mailbox
) -> None:
    """A page does not wait for ever for a moment that never comes."""
    fake.ills, fake.retry_after = always(Ill.LIMITED), "1"
    telling = Telling(tmp_path, slack_settings(fake), {"tier_1": [mail.url]}).opened()
    telling.queue(message())
    for _ in range(10):
        telling.round()
        telling.now += timedelta(seconds=2)

    assert len(mail.taken) == 1


def test_a_webhook_takes_messages_without_a_token(tmp_path: Path, fake: FakeSlack) -> None:
    """Some desks may have a webhook and no app."""
    telling = Telling(tmp_path, {"webhook_url": fake.webhook_url, "timeout_s": 1}).opened()
    telling.queue(with_file())
    telling.round()

    assert [one["text"] for one in fake.hooked] == ["about opened"]
    assert lines(telling) == [("tier_1", "slack_webhook", True)]
    assert telling.outbox.waiting() == ()


@pytest.mark.parametrize("ill", [Ill.BROKEN, Ill.HTML, Ill.LIMITED, Ill.DROPPED, Ill.SILENT])
def test_a_webhook_that_fails_keeps_its_message(tmp_path: Path, fake: FakeSlack, ill: Ill) -> None:
    """What was not taken is sent again by the next run."""
    fake.ills = iter([ill])
    telling = Telling(tmp_path, {"webhook_url": fake.webhook_url, "timeout_s": 0.3}).opened()
    telling.queue(message())
    telling.round()
    assert fake.hooked == []

    telling.rounds(1)
    assert [one["text"] for one in fake.hooked] == ["about opened"]


def test_an_apprise_url_that_is_none_is_passed_by(tmp_path: Path, mail: Mailbox) -> None:
    """A typing error in the first URL must not cost the second."""
    telling = Telling(tmp_path, {}, {"tier_1": ["nosuch://x", mail.url]}).opened()
    telling.queue(message())
    telling.round()

    assert len(mail.taken) == 1


def test_a_mail_server_that_refuses_is_not_taken_for_delivery(tmp_path: Path, mail: Mailbox) -> None:
    """Apprise says False, and nothing else."""
    mail.status = 503
    telling = Telling(tmp_path, {}, {"tier_1": [mail.url]}).opened()
    telling.queue(message())
    telling.round()
    assert lines(telling) == [("tier_1", "json", False)]

    mail.status = 200
    telling.rounds(1)
    assert lines(telling)[1:] == [("tier_1", "json", True)]


def test_a_page_that_arrived_at_the_next_tier_goes_no_further(tmp_path: Path, mail: Mailbox) -> None:
    """Tier 1's channel is broken for the day; the platform team need not be woken for each of its pages."""
    with mailbox() as platform:
        nobody = "json://127.0.0.1:1/"
        fallback = {"tier_1": [nobody], "tier_2": [mail.url], "tier_3": [platform.url]}
        telling = Telling(tmp_path, {}, fallback).opened()
        telling.queue(message())
        telling.rounds(3)

    assert len(mail.taken) == 1
    assert platform.taken == []


def test_a_page_that_did_not_arrive_at_the_next_tier_goes_further(tmp_path: Path, mail: Mailbox) -> None:
    """Two channels are broken: somebody must hear of it."""
    nobody = "json://127.0.0.1:1/"
    telling = Telling(tmp_path, {}, {"tier_1": [nobody], "tier_2": [nobody], "tier_3": [mail.url]}).opened()
    telling.queue(message())
    telling.rounds(3)

    assert len(mail.taken) == 1


def test_a_message_of_an_unknown_incident_is_told_once(tmp_path: Path) -> None:
    """Not everything that is told stands in a ledger."""
    telling = Telling(tmp_path)
    for _ in range(3):
        telling.queue(message())
        telling.rounds(1)

    assert lines(telling) == [("tier_1", "local", True)]


def test_two_audiences_in_one_channel_share_the_thread(tmp_path: Path, fake: FakeSlack) -> None:
    """One incident, one thread."""
    telling = Telling(tmp_path, slack_settings(fake, desk={})).opened()
    telling.queue(message("desk-fx", Audience.DESK), message(), message("x", Audience.TIER_3))
    telling.round()

    assert (len(fake.heads(CHANNEL)), len(fake.heads(DESK_CHANNEL)), len(fake.replies(CHANNEL))) == (1, 0, 3)


def test_a_full_disk_stops_no_page_and_doubles_none(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk that is full may be the reason for the page."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    telling = Telling(tmp_path, slack_settings(fake)).opened()
    monkeypatch.setattr("tasks.clients.messages.outbox._write", full)
    for _ in range(2):
        outbox = telling.outbox
        outbox.put("order-service", message(), telling.now)
        monkeypatch.setattr(Telling, "outbox", property(lambda _, outbox=outbox: outbox))
        telling.round()

    assert fake.texts() == ["about opened"]
    assert len(fake.heads()) == 1
