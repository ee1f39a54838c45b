"""§5 through Prefect: the form, the artifact, one incident that cannot be written, and one whose run was killed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from flows.post_incident import post_incident, postmortem
from flows.triage import triage
from tasks.clients.incidents.ledger import append
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.work.postmortem.kept_follow_ups import change_follow_up, list_follow_ups
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SERVICE = "order-service"


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub that the flows watch."""
    assert prefect
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        yield one


def over(patient: Patient, incident_id: str, summary: str = "the service hung") -> None:
    """Write an incident that ended five minutes ago, and that nobody has written down."""
    now = datetime.now(UTC)
    for event, minutes in ((Event.OPENED, 9), (Event.DIAGNOSED, 9), (Event.RECOVERED, 5), (Event.CLOSED, 5)):
        record = LedgerRecord(
            timestamp=now - timedelta(minutes=minutes),
            type="health_check_error",
            service=SERVICE,
            incident_id=incident_id,
            event=event,
            source="triage",
            summary=summary,
            details={"cause": "service_hung", "because": [summary], "tier": "tier_1"},
        )
        append(patient.ledger, [record])


def document(patient: Patient, incident_id: str) -> Path:
    """Where the postmortem of an incident is."""
    return patient.settings.state_dir / "postmortems" / f"{incident_id}.md"


def artifacts(api: str, key: str) -> list[dict[str, Any]]:
    """What the Prefect UI shows under a key, in all its versions."""
    return ask(f"{api}/artifacts/filter", {"artifacts": {"key": {"any_": [key]}}}) or []


async def test_the_form_writes_the_newest_incident_and_publishes_it_once(patient: Patient, prefect: str) -> None:
    """A person presses Run without filling anything in; a second press changes nothing."""
    over(patient, "INC-form-1")

    said = await postmortem()
    again = await postmortem(incident_id="INC-form-1")

    (shown,) = artifacts(prefect, "postmortem-inc-form-1")
    assert said.startswith("INC-form-1: written, ")
    assert again.startswith("INC-form-1: unchanged, ")
    assert "the service hung" in shown["data"]
    assert "![order-service, trouble since" in shown["data"]
    assert "<!--" not in shown["data"]
    assert document(patient, "INC-form-1").read_text("utf-8").startswith("# order-service ")


async def test_an_incident_that_cannot_be_written_keeps_no_other_from_it(patient: Patient) -> None:
    """One document in a foreign encoding must not cost the night's other postmortems."""
    over(patient, "INC-bad")
    over(patient, "INC-good")
    document(patient, "INC-bad").parent.mkdir(parents=True)
    document(patient, "INC-bad").write_bytes(b"\xff")

    state = await post_incident(SERVICE, ("INC-bad", "INC-good"), return_state=True)

    assert state.is_failed()
    assert document(patient, "INC-good").exists()
    assert document(patient, "INC-bad").read_bytes() == b"\xff"


async def test_the_next_triage_writes_down_what_a_killed_run_left(patient: Patient, prefect: str) -> None:
    """The incident was closed and its run died: the next healthy minute writes it, once."""
    over(patient, "INC-killed")

    line = await triage()
    await triage()

    assert line.startswith("order-service is healthy")
    assert document(patient, "INC-killed").exists()
    assert len(artifacts(prefect, "postmortem-inc-killed")) == 1
    newest = {"artifacts": {"key": {"like_": "triage"}}, "sort": "CREATED_DESC", "limit": 2}
    second, first = ask(f"{prefect}/artifacts/filter", newest) or []
    assert "**§5.1 Postmortem**" in first["data"]
    assert "§5.1" not in second["data"]


async def test_a_postmortem_that_fails_costs_no_report(patient: Patient, prefect: str) -> None:
    """The triage's own report must reach the person, whatever became of the paperwork."""
    over(patient, "INC-stuck")
    document(patient, "INC-stuck").parent.mkdir(parents=True)
    document(patient, "INC-stuck").write_bytes(b"\xff")

    line = await triage()

    newest = {"artifacts": {"key": {"like_": "triage"}}, "sort": "CREATED_DESC", "limit": 1}
    (report,) = ask(f"{prefect}/artifacts/filter", newest) or []
    assert line.startswith("order-service is healthy")
    assert "Postmortem (could not): INC-stuck; the next run tries again" in report["data"]


async def test_a_healthy_minute_reminds_of_what_is_overdue_once_a_day(patient: Patient) -> None:
    """No incident is open, and no triage of one comes by: the reminder has to come by itself."""
    over(patient, "INC-due")
    await triage()
    one = list_follow_ups(patient.settings)[0][0]
    change_follow_up(patient.settings, one.follow_up_id, lambda each: each.model_copy(update={"due": date(2026, 1, 1)}))

    await triage()
    await triage()
    (reminder,) = (
        line for line in read_deliveries(patient.settings.notifications_path) if line.incident_id == "follow-ups"
    )
    assert reminder.audience is one.tier
    assert reminder.text.startswith("1 follow-up is overdue since 2026-01-01, order-service, ")
