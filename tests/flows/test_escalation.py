"""§3 through Prefect: the timers are driven by the minute's run, and a person stops them in the UI."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.stack.local_http import ask
from flows.acknowledge import acknowledge
from flows.triage import triage
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.incidents.maintenance import open_window
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.maintenance import Maintenance
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SERVICE, INCIDENT = "order-service", "INC-old"


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub that the flows watch and must not touch."""
    assert prefect
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        monkeypatch.setenv("RUNBOOK_MODE", "observe")
        yield one


def write(patient: Patient, event: Event, minutes_ago: float, **details: object) -> None:
    """Append one record of an incident that began some time ago."""
    append(
        patient.ledger,
        [
            LedgerRecord(
                timestamp=datetime.now(UTC) - timedelta(minutes=minutes_ago),
                type="health_check_error",
                service=SERVICE,
                incident_id=INCIDENT,
                event=event,
                source=Source.TRIAGE,
                summary="service_hung: silent for 9 s",
                details=details,
            )
        ],
    )


def paged_long_ago(patient: Patient) -> None:
    """An incident of three hours ago, of which tier 1 was notified and nobody took it."""
    write(patient, Event.OPENED, 180, cause="service_hung", tier="tier_1")
    write(patient, Event.NOTIFIED, 180, key=f"{INCIDENT}/tier_1/opened", audience="tier_1")


def told(patient: Patient) -> list[str]:
    """The keys of what was reported of the old incident."""
    return [one.key for one in read_deliveries(patient.settings.notifications_path) if one.incident_id == INCIDENT]


async def test_the_minutes_run_pages_the_next_tier_though_the_diagnosis_has_not_changed(patient: Patient) -> None:
    """The service still hangs and nobody has taken it for three hours: the developer lead is paged, once."""
    paged_long_ago(patient)
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()
    await triage()

    assert told(patient).count(f"{INCIDENT}/tier_2/unacknowledged") == 1


async def test_the_timer_goes_on_while_the_trouble_shows_no_finding(patient: Patient, prefect: str) -> None:
    """Open until it is closed: a first minute that looks well stops no timer; its page leads to that run."""
    paged_long_ago(patient)

    await triage()

    assert told(patient) == [f"{INCIDENT}/tier_2/unacknowledged"]
    (page,) = read_deliveries(patient.settings.notifications_path)
    newest = {"sort": "START_TIME_DESC", "limit": 1, "flows": {"name": {"any_": ["triage"]}}}
    (run,) = ask(f"{prefect}/flow_runs/filter", newest) or []
    report = ask(f"{prefect}/artifacts/{str(page.run_url).rpartition('/')[2]}") or {}
    assert report["flow_run_id"] == run["id"]


async def test_a_person_who_takes_it_in_the_ui_stops_the_timer(patient: Patient) -> None:
    """The form of `acknowledge/do-acknowledge`, as the Prefect server runs it."""
    paged_long_ago(patient)

    line = acknowledge(by="kim", for_minutes=45)
    await triage()

    assert line.startswith(f"{INCIDENT} is with kim until ")
    assert told(patient) == []


async def test_in_a_maintenance_window_it_looks_and_neither_acts_nor_tells(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service is stopped for an upgrade: nobody is woken, nothing is restarted, and the ledger knows of it."""
    monkeypatch.setenv("RUNBOOK_MODE", "act")
    now = datetime.now(UTC)
    window = Maintenance(started_at=now, until=now + timedelta(minutes=30), reason="upgrade", by="kim")
    open_window(patient.settings, SERVICE, window)
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()

    identity = service_identity(patient.service)
    assert identity
    assert identity.pid == patient.pid
    assert read_deliveries(patient.settings.notifications_path) == ()
    assert Event.OPENED in [one.event for one in read_ledger(patient.ledger).records]


async def test_a_recovery_that_a_killed_run_did_not_tell_is_told_by_a_healthy_minute(patient: Patient) -> None:
    """Nothing is wrong any more and nothing is open: the run still tells who waits for the end."""
    paged_long_ago(patient)
    write(patient, Event.RECOVERED, 1)
    write(patient, Event.CLOSED, 1)

    await triage()
    await triage()

    assert told(patient) == [f"{INCIDENT}/tier_1/closed"]
