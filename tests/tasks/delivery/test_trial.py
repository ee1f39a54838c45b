"""`runbook notify-test`: whoever sets channels up learns before the first incident whether they work."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.commands.notify_test import notify_test
from tasks.clients.messages.channel_test import try_audience
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tests.fakes.mailbox import mailbox
from tests.fakes.slack.slack_api import DESK_CHANNEL, FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import Telling, slack_settings

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


def test_a_good_set_up_passes_in_all_that_a_page_needs(tmp_path: Path, fake: FakeSlack) -> None:
    """Post, answer below, edit, find again, show a file, hear a button."""
    settings = Telling(tmp_path, slack_settings(fake, app_token="xapp-1", tier_1={"user_group": "S0ONCALL"})).settings

    (trial,) = try_audience(settings, Audience.TIER_1, datetime.now(UTC))

    assert trial.passed
    assert [step.name for step in trial.steps] == [
        "posted",
        "answered in the thread",
        "edited",
        "found again",
        "file shown",
        "button heard",
    ]
    assert "S0ONCALL" in str(fake.replies()[0].blocks)
    assert "This is a test of the channels of tier 1" in fake.heads()[0].text


@pytest.mark.parametrize(
    ("error", "advice"),
    [("invalid_auth", "set the bot token"), ("not_in_channel", "invite the app"), ("is_archived", "another channel")],
)
def test_what_is_wrong_is_said_with_what_to_do(tmp_path: Path, fake: FakeSlack, error: str, advice: str) -> None:
    """The person at the keyboard is no expert of Slack's words."""
    fake.ills, fake.error = iter([Ill.NOT_OK]), error

    (trial,) = try_audience(Telling(tmp_path, slack_settings(fake)).settings, Audience.TIER_2, NOW)

    assert not trial.delivered
    assert error in trial.steps[0].detail
    assert advice in trial.steps[0].detail


def test_a_missing_scope_for_files_is_told_and_a_page_would_still_arrive(tmp_path: Path, fake: FakeSlack) -> None:
    """What is missing is known before it is missed."""
    fake.ills, fake.error = iter([Ill.WELL, Ill.WELL, Ill.WELL, Ill.WELL, Ill.NOT_OK]), "missing_scope"

    (trial,) = try_audience(Telling(tmp_path, slack_settings(fake)).settings, Audience.DESK, datetime.now(UTC))

    assert (trial.delivered, trial.passed) == (True, False)
    assert [step.name for step in trial.steps if not step.passed] == ["file shown"]
    assert len(fake.heads(DESK_CHANNEL)) == 1


def test_every_way_is_tried_and_not_only_the_first(tmp_path: Path, fake: FakeSlack) -> None:
    """The fallback that was never tried is the one that does not work."""
    with mailbox() as mail:
        telling = Telling(tmp_path, slack_settings(fake), {"tier_3": [mail.url, "nosuch://x"]})
        trials = try_audience(telling.settings, Audience.TIER_3, datetime.now(UTC))

    assert [(trial.channel, trial.delivered) for trial in trials] == [
        ("slack C0ALL", True),
        ("json", True),
        ("nosuch", False),
    ]
    assert len(mail.taken) == 1


def test_a_webhook_is_tried(tmp_path: Path, fake: FakeSlack) -> None:
    """It can do less, and what it can is proven."""
    (trial,) = try_audience(Telling(tmp_path, {"webhook_url": fake.webhook_url}).settings, Audience.DESK, NOW)

    assert trial.passed
    assert len(fake.hooked) == 1


def test_with_nothing_set_it_says_where_the_messages_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an account the file is the channel, and it works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "var"))

    with pytest.raises(SystemExit) as ended:
        notify_test(json_output=True)

    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert [(way["audience"], way["channel"], way["delivered"]) for way in document["ways"]] == [
        (audience.value, "local", True) for audience in Audience
    ]
    assert len((tmp_path / "var" / "notifications.jsonl").read_text("utf-8").splitlines()) == len(Audience)


def test_one_tier_alone_can_be_tried(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody else is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_SLACK__TOKEN", "xoxb-wrong")
    monkeypatch.setenv("RUNBOOK_SLACK__CHANNEL", "C0ALL")
    monkeypatch.setenv("RUNBOOK_SLACK__BASE_URL", fake.base_url)

    with pytest.raises(SystemExit) as ended:
        notify_test(tier=2)

    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert out.startswith("tier 2  slack C0ALL")
    assert "would NOT arrive: posted FAILED: invalid_auth; set the bot token of the app as slack.token" in out
    assert len(out.splitlines()) == 1


def test_a_tier_that_there_is_not_is_one_clear_line() -> None:
    """A typing error sends nothing."""
    with pytest.raises(RunbookError) as caught:
        notify_test(tier=4)

    assert caught.value.code is Code.BAD_ARGUMENT
