"""`runbook ack` and `runbook maintenance`: what a person types at three in the morning."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.record.record_incidents import incidents_recorded
from tests.deployments.asking import runbook
from tests.fakes.incident.observations import three
from tests.fakes.service.monitored_service import Patient, watched

pytestmark = pytest.mark.live


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A watched service that nobody started, with one open incident."""
    one = watched(tmp_path)
    one.watch_from_the_environment(monkeypatch)
    finding = Finding(
        cause=Cause.SERVICE_HUNG, confidence=Confidence.CONFIRMED, because=("x",), section="§2.1", tier=Audience.TIER_1
    )
    incidents_recorded(one.settings, three(), Diagnosis(status=Status.CRITICAL, findings=(finding,)))
    return one


def test_an_incident_is_taken_and_everybody_can_read_by_whom(patient: Patient) -> None:
    """The second person who looks sees that the first one has it."""
    assert patient
    taken = json.loads(runbook("ack", "--by", "kim", "--for", "45m", "--json").stdout)

    (listed,) = json.loads(runbook("incidents", "--json").stdout)
    assert taken["incident_id"] == listed["incident_id"]
    assert taken["acknowledged_by"] == listed["acknowledged_by"] == "kim"
    assert taken["acknowledged_until"].endswith("Z")
    assert "kim" in runbook("incidents").stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ack", "INC-nosuch"), "UNKNOWN_INCIDENT"),
        (("ack", "--for", "soon"), "BAD_ARGUMENT"),
        (("ack", "--for", "9h"), "BAD_ARGUMENT"),
        (("ack", "--by", " "), "BAD_ARGUMENT"),
        (("maintenance", "start", "--for", "30m", "--reason", " "), "BAD_ARGUMENT"),
        (("maintenance", "start", "--for", "25h", "--reason", "x"), "BAD_ARGUMENT"),
        (("maintenance", "show", "--service", "nosuch"), "UNKNOWN_SERVICE"),
    ],
)
def test_what_was_typed_wrongly_is_one_line_and_changes_nothing(
    patient: Patient, words: tuple[str, ...], code: str
) -> None:
    """No traceback, no half a window."""
    before = read_ledger(patient.ledger)
    refused = runbook(*words)

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{code}: ")
    assert refused.stderr.count("\n") == 1
    assert read_ledger(patient.ledger) == before


def test_a_window_is_opened_shown_and_ended(patient: Patient) -> None:
    """Three words for one piece of work on the service."""
    assert patient
    opened = json.loads(
        runbook("maintenance", "start", "--for", "30m", "--reason", "new disk", "--by", "kim", "--json").stdout
    )

    assert opened["open"]
    assert (opened["reason"], opened["by"]) == ("new disk", "kim")
    assert "by kim: new disk" in runbook("maintenance", "show").stdout
    assert json.loads(runbook("maintenance", "end", "--json").stdout)["open"] is False


@pytest.mark.parametrize(
    "words",
    [("ack", "--by", "kim"), ("maintenance", "start", "--for", "30m", "--reason", "x"), ("maintenance", "end")],
    ids=" ".join,
)
def test_a_time_that_is_set_by_a_clock_that_is_behind_says_so(patient: Patient, words: tuple[str, ...]) -> None:
    """The hold is over before it begins for everybody whose clock is right, and the pages go on."""
    quiet = runbook(*words)
    later = datetime.now(UTC) + timedelta(hours=1)
    ahead = LedgerRecord(timestamp=later, type="x", service="order-service", source=Source.TRIAGE)
    append(patient.settings.ledger("order-service"), [ahead])
    said = runbook(*words)

    assert (quiet.returncode, said.returncode) == (0, 0)
    assert "CLOCK_DIFFERS" not in quiet.stderr
    assert said.stderr.startswith("CLOCK_DIFFERS: ")
    assert len(said.stderr.splitlines()) == 1
