"""Messages go out in the order of what they say, and what is no longer true does not go out at all."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.maintenance import open_window
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event
from tasks.model.incidents.maintenance import Maintenance
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import INCIDENT, SERVICE, Telling, message, slack_settings


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as running:
        yield running


@pytest.fixture
def one(tmp_path: Path, fake: FakeSlack) -> Telling:
    """One open incident that is told through Slack."""
    return Telling(tmp_path, slack_settings(fake)).opened()


def test_what_was_queued_late_goes_out_before_what_is_newer(one: Telling, fake: FakeSlack) -> None:
    """A run that waited for Prefect queues its word after the others; people read what happened as it happened."""
    early, late = one.now - timedelta(minutes=4), one.now - timedelta(minutes=1)
    one.queue(message("done-mark_degraded", as_of=late), message("done-restart_service", as_of=early), message())
    one.round()

    assert fake.texts() == ["about done-restart_service", "about done-mark_degraded", "about opened"]
    (*_, small) = fake.replies()[0].blocks
    assert any("Delivered late" in part["text"] for part in small["elements"])


def test_a_page_that_slack_took_too_late_is_dropped_and_its_end_is_told(one: Telling, fake: FakeSlack) -> None:
    """One message that is true, in place of two of which the first wakes people for what is over."""
    fake.ills = iter([Ill.SILENT] * 2)
    one.slack["timeout_s"] = 0.2
    one.queue(message())
    one.round()
    one.happens(Event.CLOSED)
    one.queue(message("closed"))
    one.settle()

    assert fake.texts() == ["about closed"]
    dropped = [line for line in one.deliveries if line.channel == "superseded"]
    assert [line.key for line in dropped] == [message().key]
    (record,) = [
        record
        for record in read_ledger(one.ledger).records
        if record.event == Event.NOTIFIED and record.details["channel"] == "superseded"
    ]
    assert record.details["because"] == "the incident is closed"
    assert one.incident.told[0] == message().key, "so that its audience hears of the end"


def test_the_desk_never_reads_no_longer_degraded_after_it_is_open_again(one: Telling, fake: FakeSlack) -> None:
    """Its last word must be what is."""
    one.happens(Event.CLOSED)
    one.queue(message("closed", Audience.DESK))
    one.happens(Event.OPENED, cause="service_hung", tier="tier_1")
    one.queue(message("desk-equity#2", Audience.DESK))
    one.rounds(2)

    assert one.incident.reopened == 1
    assert fake.texts(DESK_CHANNEL) == ["about desk-equity#2"]
    assert f"{INCIDENT}/desk/closed" not in one.told()


def test_a_page_whose_answer_was_lost_is_looked_for_before_it_is_dropped(one: Telling, fake: FakeSlack) -> None:
    """Slack took it and the answer never came: it stands there, and is recorded as delivered."""
    fake.ills = iter([Ill.WELL, Ill.DROPPED_TAKEN])
    one.queue(message())
    one.round()
    one.happens(Event.CLOSED)
    one.settle()

    assert fake.texts(CHANNEL) == ["about opened"]
    assert one.arrived() == [message().key]
    assert [line.channel for line in one.deliveries if line.channel == "superseded"] == []


def test_without_a_channel_what_is_no_longer_true_is_dropped_as_well(tmp_path: Path) -> None:
    """The file of notifications is read as the channels are."""
    one = Telling(tmp_path).opened()
    one.happens(Event.CLOSED)
    one.queue(message(), message("closed"))
    one.round()

    assert one.arrived() == [message("closed").key]


def test_an_update_that_slack_took_too_late_makes_room_for_the_next_one(one: Telling, fake: FakeSlack) -> None:
    """Slack was away for an hour: four updates that were true once would be read one after the other."""
    late = message("update-1", Audience.DESK, text="hung since 15:00", until=one.now + timedelta(minutes=15))
    fake.ills = iter([Ill.LIMITED] * 2)
    one.queue(late)
    one.round()
    one.now += timedelta(minutes=16)
    one.round()
    one.queue(late.model_copy(update={"text": "hung, restarted at 15:10", "until": one.now + timedelta(minutes=15)}))
    one.rounds(3)

    assert fake.texts(DESK_CHANNEL) == ["hung, restarted at 15:10"]
    assert one.told() == [late.key]


def test_an_update_is_dropped_where_the_incident_has_ended(one: Telling, fake: FakeSlack) -> None:
    """The desk reads that it is over, and not after it that it is not."""
    one.happens(Event.CLOSED)
    one.queue(message("update-1", Audience.DESK), message("closed", Audience.DESK))
    one.settle()

    assert fake.texts(DESK_CHANNEL) == ["about closed"]


def test_the_head_says_until_when_the_next_update_comes(one: Telling, fake: FakeSlack) -> None:
    """Who reads the incident knows when the desk is notified again; nobody does while somebody works on the service."""
    one.queue(message("desk-equity", Audience.DESK))
    one.rounds(2)
    at = one.incident.told_at[message("desk-equity", Audience.DESK).key] + timedelta(minutes=15)

    assert f"Next update\nby {at:%H:%M:%S}Z" in fields(fake)
    open_window(
        one.settings, SERVICE, Maintenance(started_at=one.now, until=one.now + timedelta(hours=1), reason="x", by="kim")
    )
    one.rounds(1)
    assert "Next update" not in fields(fake)


def fields(fake: FakeSlack) -> str:
    """The fields of the desk's head."""
    return "; ".join(one["text"] for one in fake.heads(DESK_CHANNEL)[0].blocks[1]["fields"])
