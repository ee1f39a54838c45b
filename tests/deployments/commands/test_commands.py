"""The commands that read and set what the runs go by: mode, incidents, re-arm."""

import json
import os
import sys
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.incidents.action_history import is_rearm
from tests.deployments.asking import runbook, started
from tests.fakes.incident.observations import three
from tests.fakes.service.monitored_service import Patient, watched

pytestmark = pytest.mark.live


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A watched service that nobody started."""
    one = watched(tmp_path)
    one.watch_from_the_environment(monkeypatch)
    return one


def test_the_mode_is_one_switch_for_every_run(patient: Patient) -> None:
    """What a person sets in one shell holds for the next scheduled run."""
    assert runbook("mode", "observe").stdout == "observe\n"
    assert runbook("mode").stdout == "observe\n"
    assert (patient.settings.state_dir / "mode").read_text() == "observe\n"


def test_a_mode_set_where_nothing_is_watched_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the wrong folder the switch would change nothing, and the running stack would go on acting."""
    for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
        monkeypatch.delenv(name)
    refused = started(tmp_path, "mode", "observe")

    assert refused.code == 2
    assert refused.err.startswith("NOT_CONFIGURED: ")
    assert list(tmp_path.iterdir()) == []


def test_a_garbled_switch_is_the_most_careful_mode(patient: Patient) -> None:
    """Half a word on disk must not let anything act."""
    patient.settings.state_dir.mkdir(parents=True, exist_ok=True)
    (patient.settings.state_dir / "mode").write_bytes(b"ac\x00\xff")

    assert runbook("mode").stdout == "observe\n"


def test_incidents_have_the_shape_that_others_rely_on(patient: Patient) -> None:
    """A dashboard reads these keys."""
    finding = Finding(
        cause=Cause.SERVICE_HUNG, confidence=Confidence.CONFIRMED, because=("x",), section="§2.1", tier=Audience.TIER_1
    )
    incidents_recorded(patient.settings, three(), Diagnosis(status=Status.CRITICAL, findings=(finding,)))

    (incident,) = json.loads(runbook("incidents", "--json").stdout)

    assert incident["service"] == "order-service"
    assert incident["causes"] == ["service_hung"]
    assert incident["tier"] == "tier_1"
    assert incident["closed_at"] is None
    assert incident.keys() >= {"incident_id", "state", "opened_at", "acknowledged_by", "actions", "messages"}


def test_a_rearm_is_a_persons_word_with_a_reason(patient: Patient) -> None:
    """The ledger says who let the automation act again, and why."""
    done = runbook("rearm", "--reason", "looked at the journal", "--by", "ada")

    (record,) = read_ledger(patient.ledger).records
    assert done.returncode == 0
    assert is_rearm(record)
    assert record.details == {"by": "ada", "reason": "looked at the journal"}


def test_a_ledger_that_was_lost_is_accepted_only_by_its_own_word(patient: Patient) -> None:
    """Whoever re-arms for another reason must not accept, unseen, that budgets were lost; the new ledger says it."""
    runbook("rearm", "--reason", "first", "--by", "ada")
    runbook("incidents")
    patient.ledger.unlink()

    refused = runbook("rearm", "--reason", "looked", "--by", "ada")
    accepted = runbook("rearm", "--reason", "the disk was replaced", "--by", "ada", "--accept-ledger")

    assert refused.returncode != 0
    assert "LEDGER_UNREADABLE" in refused.stderr
    assert "--accept-ledger" in refused.stderr
    assert accepted.returncode == 0
    (record,) = read_ledger(patient.settings.ledger("order-service")).records
    assert is_rearm(record)
    assert "was gone" in record.details["ledger_accepted"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RUNBOOK_MODE", "acts", "key=mode"),
        ("RUNBOOK_MODUS", "act", "variable=RUNBOOK_MODUS"),
        ("RUNBOOK_CONFIG", "/nosuch/runbook.toml", "path=/nosuch/runbook.toml"),
        ("RUNBOOK_SERVICES", '{"order-service": {"base_uri": "http://127.0.0.1"}}', "base_uri"),
        (
            "RUNBOOK_SERVICES",
            '{"order-service": {"base_url": "http://me:hunter2@127.0.0.1"}}',
            "without user and password",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    """The line names the key and what to do; nobody reads a traceback."""
    assert patient
    monkeypatch.setenv(name, value)
    refused = runbook("mode")

    assert refused.returncode == 2
    assert refused.stderr.startswith("BAD_SETTING: ")
    assert refused.stderr.count("\n") == 1
    assert expected in refused.stderr
    assert "hunter2" not in refused.stderr


@pytest.mark.parametrize("words", [("--reason", " "), ("--reason", "looked", "--by", "")])
def test_a_rearm_without_a_word_is_refused(patient: Patient, words: tuple[str, ...]) -> None:
    """Who gives a budget back says why."""
    assert runbook("rearm", *words).returncode == 2
    assert read_ledger(patient.ledger).records == ()


@pytest.mark.skipif(sys.platform == "win32", reason="the paths are POSIX")
@pytest.mark.parametrize("command", ["up", "down"])
@pytest.mark.parametrize("path", ["/dev/null/x", "/etc/passwd"])
def test_a_state_directory_that_cannot_be_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, command: str, path: str
) -> None:
    """A typing error in a path is no reason for a traceback."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", path)
    refused = runbook(command)

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert path in refused.stderr
