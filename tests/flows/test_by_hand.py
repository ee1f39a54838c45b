"""The doors for people in an incident: each form through Prefect, against a patient that is a real process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import by_hand
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.notifications import read_deliveries
from tasks.clients.process_look import service_identity
from tasks.model.by_hand import BY_HAND_TYPE
from tasks.model.diagnosis import Audience
from tasks.model.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.messages import Delivery
from tasks.rules.incident_state import fold_incidents
from tests.fakes.patient import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WHO = {"reason": "the venue says so", "by": "ada"}
TOKEN = "a token of this test"


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub with a control plane, that the flows watch."""
    assert prefect
    with running(tmp_path, control_token="stub") as one:
        one.watch_from_the_environment(monkeypatch)
        yield one


def records(patient: Patient) -> tuple[LedgerRecord, ...]:
    """The story as the ledger tells it."""
    return read_ledger(patient.ledger).records


def incidents(patient: Patient) -> tuple[IncidentState, ...]:
    """Every incident of the ledger."""
    return fold_incidents(records(patient), "order-service")


def told(patient: Patient, audience: Audience) -> list[str]:
    """What one audience was told, oldest first."""
    found: tuple[Delivery, ...] = read_deliveries(patient.settings.notifications_path)
    return [one.text for one in found if one.audience is audience]


async def test_a_restart_by_hand_is_told_proven_and_ends_its_own_incident(patient: Patient) -> None:
    """The ledger says who, why and what came of it; the budget counts it like any other."""
    line = await by_hand.restart(**WHO)

    identity = service_identity(patient.service)
    (incident,) = incidents(patient)
    opened = records(patient)[0]
    assert line.startswith("order-service: restart service by hand: recovered.")
    assert identity
    assert identity.pid != patient.pid
    assert (opened.type, opened.source, opened.details["by"]) == (BY_HAND_TYPE, Source.OPERATOR, "ada")
    assert opened.details["reason"] == "the venue says so"
    assert not incident.is_open
    assert incident.acknowledged_by == "ada"
    assert [one.outcome for one in incident.actions] == ["recovered"]
    started = next(one for one in records(patient) if one.event == Event.ACTION_STARTED)
    assert started.details["asked_by"] == "ada"
    assert "ada orders by hand: the venue says so" in told(patient, Audience.TIER_1)[0]
    assert "Recovered after restart service" in told(patient, Audience.TIER_1)[-1]
    assert len(told(patient, Audience.DESK)) == 1
