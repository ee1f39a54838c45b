"""The page as a whole, run through Prefect against a service that is a real process."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.stack.local_http import ask
from flows.triage import triage
from tasks.clients.evidence.store import list_runs, load_run
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event
from tests.fakes.service.monitored_service import Patient, end, running, watched

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub that the flows watch."""
    assert prefect
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        yield one


def events(patient: Patient) -> list[str | None]:
    """The story as the ledger tells it."""
    return [record.event for record in read_ledger(patient.ledger).records]


async def test_a_healthy_service_is_looked_at_and_left_alone(patient: Patient) -> None:
    """The common minute: no incident, no message, no action."""
    line = await triage()

    assert line.startswith("order-service is healthy")
    assert events(patient) == []
    assert read_deliveries(patient.settings.notifications_path) == ()


async def test_with_a_ledger_that_cannot_be_read_nothing_is_done_and_people_are_told_once(patient: Patient) -> None:
    """Rule 2: without the ledger no budget is known; who must fix it, look, or trade elsewhere, is notified."""
    assert patient.pid
    patient.ledger.mkdir(parents=True)
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()
    await triage()

    told = read_deliveries(patient.settings.notifications_path)
    assert {one.audience for one in told} == {Audience.TIER_3, Audience.TIER_1, Audience.DESK}
    assert len({(one.key, one.audience) for one in told}) == len(told), "each once"
    identity = service_identity(patient.service)
    assert identity
    assert identity.pid == patient.pid, "nothing was done"


async def test_a_stopped_service_goes_through_the_whole_page(patient: Patient, prefect: str) -> None:
    """§1 to §5 in one run: found, told, restarted, proven, written down."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    line = await triage(note="orders hang since the open")

    assert line.startswith("Recovered: order-service was hung. Restart service: recovered since ")
    identity = service_identity(patient.service)
    assert identity
    assert identity.pid != patient.pid
    story = list(dict.fromkeys(events(patient)))
    assert story[:3] == [Event.OPENED, Event.DIAGNOSED, Event.NOTIFIED]
    assert story[3:] == [Event.ACTION_STARTED, Event.ACTION_FINISHED, Event.RECOVERED, Event.CLOSED]
    audiences = {one.audience for one in read_deliveries(patient.settings.notifications_path)}
    assert audiences == {Audience.TIER_1, Audience.DESK}
    assert list((patient.settings.state_dir / "postmortems").glob("INC-*.md"))
    assert list((patient.settings.state_dir / "evidence").glob("INC-*/*/process.json"))
    (kept,) = list_runs(patient.settings.state_dir, "order-service")
    planning = load_run(kept).planning
    assert planning is not None, "a replay plans it again"
    assert planning.decided.actions[0] == "restart service"
    reports = ask(f"{prefect}/artifacts/filter", {"artifacts": {"key": {"like_": "postmortem"}}}) or []
    assert any("Root cause" in report["data"] for report in reports)


async def test_observe_tells_and_does_not_touch(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 12, through the whole flow."""
    monkeypatch.setenv("RUNBOOK_MODE", "observe")
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()

    identity = service_identity(patient.service)
    assert identity
    assert identity.pid == patient.pid
    assert Event.ACTION_STARTED not in events(patient)
    assert any("MODE_FORBIDS" in one.text for one in read_deliveries(patient.settings.notifications_path))


async def test_an_unreadable_ledger_stops_every_action_and_the_report_says_so(patient: Patient, prefect: str) -> None:
    """Without the ledger no budget is known: the run looks, reports, and keeps its hands off."""
    assert patient.pid
    patient.ledger.mkdir(parents=True)
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()

    identity = service_identity(patient.service)
    assert identity
    assert identity.pid == patient.pid
    newest = {"artifacts": {"key": {"like_": "triage"}}, "sort": "CREATED_DESC", "limit": 1}
    (report,) = ask(f"{prefect}/artifacts/filter", newest) or []
    assert "LEDGER\\_UNREADABLE" in report["data"]


async def test_a_service_that_is_not_watched_is_one_clear_error(patient: Patient) -> None:
    """A typing error in the form names the services there are."""
    assert patient.pid
    with pytest.raises(Exception, match="expected one of order-service was nosuch"):
        await triage(service="nosuch")


async def test_a_service_that_never_comes_up_is_escalated_and_not_tried_again(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 4: a start of ours that failed is not tried again by itself; it is left to tier 2, who read why."""
    assert prefect
    patient = watched(tmp_path, start_command=(sys.executable, "-c", "raise SystemExit('no licence')"))
    patient.watch_from_the_environment(monkeypatch)

    for _ in range(3):
        await triage()

    assert events(patient).count(Event.ACTION_STARTED) == 1
    texts = [
        one.text for one in read_deliveries(patient.settings.notifications_path) if one.audience is Audience.TIER_2
    ]
    assert any("no licence" in text for text in texts)
    assert any("fix that, then start it" in text for text in texts)
    end(patient)
