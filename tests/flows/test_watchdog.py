"""The watcher watched: the flow that tells that no triage completes any more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.watchdog import watchdog
from tasks.clients.evidence.history import history_path, note_finished
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.diagnosis.diagnosis import Audience
from tests.fakes.service.monitored_service import Patient, watched

pytestmark = pytest.mark.prefect


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A service that is watched, and does not even run."""
    assert prefect
    one = watched(tmp_path)
    one.watch_from_the_environment(monkeypatch)
    return one


def looked(patient: Patient, ago: timedelta) -> None:
    """Let a triage have come to its end some time ago."""
    assert note_finished(history_path(patient.settings, "order-service"), datetime.now(UTC) - ago)


async def test_a_watch_that_stopped_is_told_once_through_the_notify_step(patient: Patient) -> None:
    """Those who fix it, and those who must look; a trigger that fires again changes nothing."""
    looked(patient, timedelta(minutes=4))

    await watchdog()
    await watchdog()

    told = read_deliveries(patient.settings.notifications_path)
    assert [one.audience for one in told if one.delivered] == [Audience.TIER_3, Audience.TIER_1]
    assert all("Triage has stalled" in one.text for one in told)
    assert all("IS DOWN" in one.text for one in told), "it is asked, and what it answers is reported"
    assert all("/flow-runs/flow-run/" in (one.run_url or "") for one in told)


async def test_a_trigger_that_fired_for_nothing_pages_nobody(patient: Patient) -> None:
    """An event that was lost is no triage that was lost."""
    looked(patient, timedelta(minutes=2))

    assert await watchdog() == 0
    assert read_deliveries(patient.settings.notifications_path) == ()
