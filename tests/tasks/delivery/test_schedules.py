"""Whatever Slack does, and whenever the process dies: no message is lost, and none is said twice."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event
from tasks.rules.incidents.message_keys import UNDELIVERED
from tests.fakes.process.killing import killed_at_line
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, FakeSlack, Ill, Said
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import A_MINUTE, QUICK_S, Telling, message, slack_settings, with_file

pytestmark = pytest.mark.live

SENDING = ("clients/messages/", "clients/files/jsonl", "clients/incidents/ledger.py")
FAULTS = [ill for ill in Ill if ill is not Ill.WELL]
# What was done stays true; a page that its end has overtaken is dropped, see `test_order_and_truth`.
PAUSED = "desk-pause_strategies-equity-halted"
MESSAGES = (with_file("exhausted"), message(PAUSED, Audience.DESK), message("done-restart_service"))
LAST_LINE = 2500


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeSlack]:
    """One server for all examples; each begins with an empty Slack."""
    with slack() as one:
        yield one


def emptied(fake: FakeSlack) -> FakeSlack:
    """Forget what was said."""
    fake.ills = iter(())
    fake.calls.clear()
    for said in fake.channels.values():
        said.clear()
    return fake


def everything(fake: FakeSlack) -> list[Said]:
    """What anybody reads in any channel."""
    return [one for channel in fake.channels.values() for one in channel]


def holds(telling: Telling, fake: FakeSlack, *, files: bool) -> None:
    """Each message once in its thread, once in the ledger, once in the sink; each head once, and true."""
    keys = [one.key for one in MESSAGES]
    said = [one.key for one in everything(fake) if one.thread_ts and not one.files]
    assert sorted(key for key in said if UNDELIVERED not in key) == sorted(keys)
    assert len(said) == len(set(said))
    assert [len(fake.heads(channel)) for channel in (CHANNEL, DESK_CHANNEL)] == [1, 1]
    told = telling.told()
    assert sorted(told) == sorted(telling.arrived()) == sorted(set(told))
    # One that went to somebody else, without a certain end, is let go when its own audience is reached.
    assert set(keys) <= set(told) <= set(said)
    assert all(UNDELIVERED in key for key in set(said) - set(told))
    assert telling.outbox.waiting() == ()
    shown = [one for one in everything(fake) if one.files]
    assert len(shown) == 1 if files else len(shown) <= 1
    assert all("closed" in head.text for channel in (CHANNEL, DESK_CHANNEL) for head in fake.heads(channel))
    assert fake.wrong == []


@given(ills=st.lists(st.sampled_from(FAULTS), max_size=5), gaps=st.lists(st.integers(0, 3), max_size=5))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_message_is_lost_and_none_is_doubled_over_any_schedule_of_failures(
    fake: FakeSlack, ills: list[Ill], gaps: list[int]
) -> None:
    """A page that Slack took and did not confirm is found there, and not sent a second time."""
    spread = [
        ill for ill, gap in zip(ills, [*gaps, *[0] * len(ills)], strict=False) for ill in [*[Ill.WELL] * gap, ill]
    ]
    emptied(fake).ills = iter(spread)
    with tempfile.TemporaryDirectory() as folder:
        telling = Telling(Path(folder), slack_settings(fake, timeout_s=QUICK_S), is_patient=True).opened()
        telling.queue(*MESSAGES)
        telling.round()
        telling.happens(Event.CLOSED)
        telling.settle()

        note(f"{ills=} calls={fake.calls}")
        holds(telling, fake, files=Ill.NOT_OK not in ills)


# What is killed closes none of its files; the system does that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@given(
    ills=st.lists(st.sampled_from([Ill.WELL, *FAULTS]), max_size=4),
    lines=st.lists(st.integers(1, LAST_LINE), min_size=1, max_size=4),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_process_killed_between_any_two_lines_loses_and_doubles_nothing(
    fake: FakeSlack, ills: list[Ill], lines: list[int]
) -> None:
    """The worker is killed while it tells; the next run knows what was said, or looks."""
    emptied(fake).ills = iter(ills)
    with tempfile.TemporaryDirectory() as folder:
        telling = Telling(Path(folder), slack_settings(fake, timeout_s=QUICK_S), is_patient=True).opened()
        for line in lines:
            with killed_at_line(line, *SENDING):
                telling.queue(*MESSAGES)
                telling.round()
            telling.now += A_MINUTE
        telling.queue(*MESSAGES)
        telling.rounds(1)
        telling.happens(Event.CLOSED)
        telling.settle()

        note(f"{ills=} calls={fake.calls}")
        holds(telling, fake, files=Ill.NOT_OK not in ills)
