"""One thread an incident: its head is edited, its details are below, its files beside them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event
from tasks.model.messages.delivery import DeliveryVerdict
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import Telling, message, slack_settings, with_file


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


def telling(folder: Path, fake: FakeSlack, **changes: Any) -> Telling:
    """An open incident that is told through it."""
    return Telling(folder, slack_settings(fake, **changes)).opened()


def test_two_messages_of_an_incident_stand_below_one_head(tmp_path: Path, fake: FakeSlack) -> None:
    """The person paged finds the whole story in one place."""
    one = telling(tmp_path, fake)
    one.queue(message("opened"), message("again-1"))
    one.round()
    one.queue(message("exhausted", Audience.TIER_2))
    one.round()

    (head,) = fake.heads()
    assert fake.texts() == ["about opened", "about again-1", "about exhausted"]
    assert {reply.thread_ts for reply in fake.replies()} == {head.ts}


def test_the_head_tells_status_cause_since_tier_and_mode_and_is_edited_in_place(
    tmp_path: Path, fake: FakeSlack
) -> None:
    """Who opens the channel in the middle of it reads one line, and it is true."""
    one = telling(tmp_path, fake)
    one.queue(message())
    one.round()
    (head,) = fake.heads()
    before = head.text
    one.happens(Event.ACTION_STARTED, key="k", action="restart_service")
    one.happens(Event.ACTION_FINISHED, key="k", outcome="recovered")
    one.happens(Event.CLOSED)
    one.rounds(1)

    facts = {field["text"].split("\n")[0] for field in head.blocks[1]["fields"]}
    assert facts == {"Status", "Cause", "Since", "Tier", "Mode"}
    opened = f"{one.incident.opened_at:%H:%M:%S}Z"
    assert before == f"order-service: service hung since {opened}. open; tier 1; mode observe"
    assert head.text.startswith(f"order-service: service hung since {opened}. closed ")
    assert (len(fake.heads()), head.edits) == (1, 1)


def test_a_head_that_is_true_is_not_edited(tmp_path: Path, fake: FakeSlack) -> None:
    """A call a minute for each incident would use up what Slack allows."""
    one = telling(tmp_path, fake)
    one.queue(message())
    one.rounds(4)

    assert "chat.update" not in fake.calls


def test_a_head_is_edited_again_when_a_closed_incident_comes_back(tmp_path: Path, fake: FakeSlack) -> None:
    """The thread of a flapping gateway must not say *closed* while it flaps."""
    one = telling(tmp_path, fake)
    one.queue(message())
    one.happens(Event.CLOSED)
    one.rounds(1)
    one.happens(Event.OPENED, cause="service_hung", tier="tier_1")
    one.queue(message("opened#2"))
    one.rounds(1)

    (head,) = fake.heads()
    assert "open" in head.text
    assert "closed" not in head.text


def test_the_desk_reads_its_notice_in_the_channel_itself(tmp_path: Path, fake: FakeSlack) -> None:
    """Traders do not open threads."""
    one = telling(tmp_path, fake)
    one.queue(message("desk-fx", Audience.DESK), message())
    one.round()

    assert [reply.broadcast for reply in fake.replies(DESK_CHANNEL)] == [True]
    assert [reply.broadcast for reply in fake.replies(CHANNEL)] == [False]


def test_a_page_calls_its_user_group_and_the_end_calls_nobody(tmp_path: Path, fake: FakeSlack) -> None:
    """Nobody is woken to read that it is over."""
    one = telling(tmp_path, fake, tier_2={"user_group": "S0LEAD"})
    one.queue(message("exhausted", Audience.TIER_2))
    one.round()
    one.happens(Event.CLOSED)
    one.queue(message("closed", Audience.TIER_2))
    one.rounds(1)

    page, end = fake.replies()
    assert page.blocks[0]["text"]["text"] == "<!subteam^S0LEAD>"
    assert "subteam" not in str(end.blocks)


def test_a_file_is_shown_in_the_thread(tmp_path: Path, fake: FakeSlack) -> None:
    """The failing request and its answer are too long to be read in a thread."""
    one = telling(tmp_path, fake)
    one.queue(with_file())
    one.round()

    shown = [reply for reply in fake.replies() if reply.files]
    assert [(reply.thread_ts, reply.files[0]["title"]) for reply in shown] == [(fake.heads()[0].ts, "request.txt")]
    assert list(fake.files.values()) == [b"GET /health"]


def test_a_file_that_slack_refuses_does_not_hold_the_page_back(tmp_path: Path, fake: FakeSlack) -> None:
    """A missing scope for files is no reason to page again."""
    fake.ills, fake.error = iter([Ill.WELL, Ill.WELL, Ill.NOT_OK]), "missing_scope"
    one = telling(tmp_path, fake)
    one.queue(with_file())
    one.rounds(2)

    assert fake.texts() == ["about opened"]
    assert one.told() == [message().key]
    assert one.outbox.waiting() == ()


@pytest.mark.parametrize("ill", [Ill.HTML, Ill.BROKEN, Ill.DROPPED])
def test_a_file_whose_upload_went_astray_is_uploaded_again(tmp_path: Path, fake: FakeSlack, ill: Ill) -> None:
    """A guest network answers everything with its own page, and with 200."""
    fake.ills = iter([Ill.WELL, Ill.WELL, Ill.WELL, ill])
    one = telling(tmp_path, fake)
    one.queue(with_file())
    one.rounds(2)

    assert len([reply for reply in fake.replies() if reply.files]) == 1
    assert fake.texts() == ["about opened"]


def test_what_slack_will_not_lay_out_is_said_without_blocks(tmp_path: Path, fake: FakeSlack) -> None:
    """A limit that nobody knew of must not cost a page."""
    fake.ills, fake.error = iter([Ill.WELL, Ill.NOT_OK]), "invalid_blocks"
    one = telling(tmp_path, fake)
    one.queue(message())
    one.round()

    (reply,) = fake.replies()
    assert (reply.text, reply.blocks) == ("about opened", [])


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
def test_what_slack_will_not_lay_out_still_calls_who_is_to_come(tmp_path: Path, fake: FakeSlack, error: str) -> None:
    """The user group must be woken by the plain text, too, and read the detail there."""
    fake.ills, fake.error = iter([Ill.WELL, Ill.NOT_OK]), error
    one = telling(tmp_path, fake, tier_1={"channel": CHANNEL, "user_group": "S0LEAD"})
    one.queue(message(detail="the log says: <!channel>"))
    one.round()

    (reply,) = fake.replies()
    assert reply.text == "<!subteam^S0LEAD>\nabout opened\nthe log says: &lt;!channel&gt;"


def test_the_longest_message_arrives_with_its_call_and_the_whole_of_it_as_a_file(
    tmp_path: Path, fake: FakeSlack
) -> None:
    """Slack refuses blocks over 13,200 characters in all: the call was lost with them."""
    one = telling(tmp_path, fake, tier_1={"channel": CHANNEL, "user_group": "S0LEAD"})
    words, detail = "words " * 1500, "line\n" * 4000
    one.queue(message(text=words, detail=detail))
    one.round()

    page, file = fake.replies()
    assert (fake.wrong, page.blocks[0]["text"]["text"]) == ([], "<!subteam^S0LEAD>")
    assert [shown["title"] for shown in file.files] == ["whole-message.txt"]
    assert next(iter(fake.files.values())).decode() == f"{words}\n\n{detail}"


def test_a_deleted_head_is_posted_again(tmp_path: Path, fake: FakeSlack) -> None:
    """Somebody tidied the channel in the middle of an incident."""
    one = telling(tmp_path, fake)
    one.queue(message())
    one.round()
    fake.channels[CHANNEL].clear()
    one.queue(message("again-1"))
    one.rounds(1)

    assert len(fake.heads()) == 1
    assert fake.texts() == ["about again-1"]


def test_a_button_stands_at_the_head_while_it_would_be_heard_and_nobody_has_it(tmp_path: Path, fake: FakeSlack) -> None:
    """A button that does nothing is worse than none."""
    without = telling(tmp_path / "without", fake)
    without.queue(message())
    without.round()
    assert "button" not in str(fake.heads()[0].blocks)

    fake.channels[CHANNEL].clear()
    one = telling(tmp_path / "with", fake, app_token="xapp-1")
    one.queue(message())
    one.round()
    (head,) = fake.heads()
    assert '"incident_id": "INC-1"' in head.blocks[-1]["elements"][0]["value"]

    one.happens(Event.ACKNOWLEDGED, by="kim")
    one.rounds(1)
    assert "acknowledged by kim" in head.text
    assert "button" not in str(head.blocks)

    one.now += timedelta(days=2)
    one.round()
    assert "acknowledged" not in head.text
    assert "button" in str(head.blocks)


def test_a_trader_cannot_stop_the_pages_by_a_button(tmp_path: Path, fake: FakeSlack) -> None:
    """The desk is no rung of the ladder, and its channel has no button."""
    one = telling(tmp_path, fake, app_token="xapp-1")
    one.queue(message("desk-fx", Audience.DESK), message())
    one.round()

    assert "button" in str(fake.heads(CHANNEL)[0].blocks)
    assert "button" not in str(fake.heads(DESK_CHANNEL)[0].blocks)


def test_a_channel_of_its_own_has_a_thread_of_its_own(tmp_path: Path, fake: FakeSlack) -> None:
    """The desk reads elsewhere, and its channel has the incident's head, too."""
    one = telling(tmp_path, fake)
    one.queue(message("desk-fx", Audience.DESK), message())
    one.round()

    assert [len(fake.heads(channel)) for channel in (CHANNEL, DESK_CHANNEL)] == [1, 1]


def test_a_token_that_was_revoked_is_told_as_such(tmp_path: Path, fake: FakeSlack) -> None:
    """Tokens are revoked; the message waits, and arrives when there is a new one."""
    one = telling(tmp_path, fake, token="xoxb-revoked")
    one.queue(message())
    one.round()
    assert [line.delivered for line in one.deliveries] == [False]

    one.slack = slack_settings(fake)
    one.rounds(1)
    assert fake.texts() == ["about opened"]
    assert [line.delivered for line in one.deliveries] == [False, True]


def test_threads_that_are_over_are_forgotten_in_time_and_none_before(tmp_path: Path, fake: FakeSlack) -> None:
    """A folder that only grows is read by every run."""
    one = telling(tmp_path, fake)
    one.queue(message(), message("opened").model_copy(update={"key": "WATCH/tier_1/opened", "incident_id": "WATCH"}))
    one.round()
    one.now += timedelta(days=30)
    one.round()
    assert [thread.incident_id for thread in one.outbox.threads()] == ["INC-1"]
    assert one.outbox.pending_count() == 1

    one.happens(Event.CLOSED)
    one.round()
    assert "closed" in fake.heads()[0].text
    assert one.outbox.threads() == ()


def test_the_verdicts_are_a_closed_list() -> None:
    """A new one needs a decision in each place that reads them."""
    assert {one.value for one in DeliveryVerdict} == {
        "sent",
        "down",
        "limited",
        "denied",
        "no_place",
        "bad_content",
        "gone",
    }
