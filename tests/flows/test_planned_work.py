"""A planned session at one gateway, through Prefect: it is left alone, and everything else is not."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.triage import triage
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.maintenance import end_window
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action, Event
from tasks.model.incidents.planned_work import PlannedWork
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SERVICE = "order-service"


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub, and a gateway that is away in its planned session."""
    assert prefect
    now = datetime.now(UTC)
    session = PlannedWork(
        name="test session", starts=now - timedelta(minutes=5), ends=now + timedelta(hours=1), gateways=("XNAS",)
    )
    gateways = {"XNAS": f"http://127.0.0.1:{free_port()}"}
    with running(tmp_path, gateways=gateways, planned=(session,)) as one:
        one.watch_from_the_environment(monkeypatch)
        monkeypatch.setenv("RUNBOOK_MODE", "act")
        yield one


def causes(patient: Patient) -> set[object]:
    """The causes that the ledger has."""
    return {one.details.get("cause") for one in read_ledger(patient.ledger).records if one.event == Event.OPENED}


def begun(patient: Patient) -> set[object]:
    """What the ledger says was begun."""
    records = read_ledger(patient.ledger).records
    return {one.details.get("action") for one in records if one.event == Event.ACTION_STARTED}


def told(patient: Patient) -> list[str]:
    """What each message is about."""
    return [one.key.split("/", 1)[1] for one in read_deliveries(patient.settings.notifications_path)]


async def test_a_gateway_in_its_session_is_recorded_and_left_alone_until_the_session_ends(patient: Patient) -> None:
    """Nobody is woken for what was planned; who is woken afterwards reads since when it is so."""
    await triage()

    # Orders fill there, and a direct probe is refused: no rule names it, and all of it is at the venue that tests.
    assert causes(patient) == {Cause.UNKNOWN}
    assert (begun(patient), told(patient)) == (set(), [])

    end_window(patient.settings, SERVICE, "kim", datetime.now(UTC))
    await triage()

    assert "tier_2/opened" in told(patient)


async def test_a_hang_in_a_session_is_restarted_and_paged(patient: Patient) -> None:
    """No session of a venue explains a service that does not answer."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()

    identity = service_identity(patient.service)
    assert identity is not None
    assert identity.pid != patient.pid
    assert begun(patient) == {Action.RESTART_SERVICE}
    assert any(one.startswith("tier_1/") for one in told(patient))
    assert not any("XNAS" in one for one in told(patient))
