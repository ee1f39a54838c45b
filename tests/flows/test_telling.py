"""Messages through the whole flow: to Slack, with the run that says it, and again when they did not arrive."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.triage import triage
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.messages.outbox import Outbox
from tests.fakes.service.monitored_service import Patient, end, running, watched
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, TOKEN, FakeSlack, Ill
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import Telling, message

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def fake(prefect: str) -> Iterator[FakeSlack]:
    """A Slack that the flows are set to, once their service is."""
    assert prefect
    with slack() as one:
        yield one


def watch(patient: Patient, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the flows to this patient and this Slack."""
    patient.watch_from_the_environment(monkeypatch)
    known = {"TOKEN": TOKEN, "BASE_URL": fake.base_url, "CHANNEL": CHANNEL, "DESK__CHANNEL": DESK_CHANNEL}
    for name, value in known.items():
        monkeypatch.setenv(f"RUNBOOK_SLACK__{name}", value)


async def test_what_is_still_queued_is_sent_by_the_next_healthy_minute(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack was down, and when it is back the service is well again: the page must not wait for the next incident."""
    with running(tmp_path) as patient:
        watch(patient, fake, monkeypatch)
        telling = Telling(patient.settings.state_dir).opened()
        telling.queue(message())

        await triage()

    assert fake.texts() == ["about opened"]
    assert Outbox(patient.settings.state_dir).waiting() == ()


async def test_an_incident_is_told_in_slack_with_its_artifacts_and_its_run(
    tmp_path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch, prefect: str
) -> None:
    """Found, told, tried, and told again; and a first call that Slack never answered lost nothing."""
    fake.ills, fake.silent_s = iter([Ill.DROPPED_TAKEN]), 0.1
    patient = watched(tmp_path, start_command=(sys.executable, "-c", "raise SystemExit('no licence')"))
    watch(patient, fake, monkeypatch)
    monkeypatch.setattr("tasks.rules.messages.retry.LEFT_ALONE_FOR", Telling(tmp_path).now - Telling(tmp_path).now)

    await triage()
    end(patient)

    assert (len(fake.heads()), len(fake.heads(DESK_CHANNEL))) == (1, 1)
    page = fake.replies()[0]
    assert "service down" in fake.heads()[0].text
    assert prefect.removesuffix("/api") in str(page.blocks)
    assert "/artifacts/artifact/" in str(page.blocks)
    assert fake.wrong == []
    assert any(one.files for one in fake.replies())
    (notice,) = fake.replies(DESK_CHANNEL)
    assert notice.blocks[0]["text"]["text"] == (
        "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."
    )
    told = read_deliveries(patient.settings.notifications_path)
    assert {one.channel for one in told} == {"slack"}
    assert len({one.key for one in told if one.delivered}) == len([one for one in told if one.delivered])
