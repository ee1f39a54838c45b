"""`runbook incidents`: what is open, and until when the desk is notified of it again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.commands.incidents import incidents
from tasks.model.diagnosis.diagnosis import Audience
from tasks.rules.formats.time import utc_text
from tests.fakes.incident.escalating import INCIDENT, Incident


@pytest.fixture
def incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """An incident that was opened 20 minutes ago, in the ledger that the settings name."""
    config = tmp_path / "runbook.toml"
    config.write_text(f"state_dir = {json.dumps(str(tmp_path))}\n[services.order-service]\n", "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    monkeypatch.delenv("RUNBOOK_STATE_DIR", raising=False)
    return Incident(tmp_path, datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)).opened()


def printed(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> str:
    """What the command prints."""
    with pytest.raises(SystemExit):
        incidents(json_output=as_json)
    return capsys.readouterr().out


def test_it_says_until_when_the_desk_is_notified_again(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever is asked by the desk reads what was promised, and that it is late."""
    incident.told(10, incident.message(Audience.DESK, "desk-equity"))
    assert f"  next update by {incident.at(25):%H:%M:%S}Z" in printed(capsys)

    (one,) = json.loads(printed(capsys, as_json=True))
    assert one["next_update_at"] == utc_text(incident.at(25))


def test_an_update_that_is_late_is_said_to_be(incident: Incident, capsys: pytest.CaptureFixture[str]) -> None:
    """No run came: somebody has to notify the desk."""
    incident.told(1, incident.message(Audience.DESK, "desk-equity"))

    assert f"next update by {incident.at(16):%H:%M:%S}Z (overdue)" in printed(capsys)


def test_without_a_notice_and_after_the_end_no_update_is_promised(
    incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk waits for nothing."""
    assert "next update" not in printed(capsys)

    incident.told(10, incident.message(Audience.DESK, "desk-equity"))
    incident.closed(11)
    assert INCIDENT in (text := printed(capsys))
    assert "next update" not in text
