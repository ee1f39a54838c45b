"""Two triggers in one second: an alert, a schedule and a person at once are one incident."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from tasks.clients.incidents import ledger
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.messages.delivery_thread import deliver
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incidents.incident import Event
from tasks.model.reports.report import TriageStory
from tasks.notify.find_due_pages import messages_due
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.ledger_unreadable import lost_ledger_messages
from tasks.rules.messages.opening import opening_messages
from tasks.rules.remediation.branches import needs_runbook, recorded
from tasks.work.triage.context import kept_of
from tests.fakes.incident.escalating import SERVICE, Incident
from tests.fakes.incident.observations import three

HUNG = Diagnosis(
    status=Status.CRITICAL,
    findings=(
        Finding(
            cause=Cause.SERVICE_HUNG,
            confidence=Confidence.CONFIRMED,
            because=("x",),
            section="§2.1",
            tier=Audience.TIER_1,
        ),
    ),
)


def test_eight_triggers_at_once_are_one_incident_and_each_audience_is_told_once(tmp_path: Path) -> None:
    """An alert storm must not become a storm of pages."""
    settings, seen = Incident(tmp_path).settings, three()

    def trigger(_: int) -> None:
        update = incidents_recorded(settings, seen, HUNG)
        for message in opening_messages(TriageStory(evidence=seen, diagnosis=HUNG, incidents=update)):
            deliver(settings, SERVICE, message)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trigger, range(8)))

    records = read_ledger(settings.ledger_path(SERVICE)).records
    (opened,) = (one for one in records if one.event == Event.OPENED)
    keys = [one.key.split("/", 1)[1] for one in read_deliveries(settings.notifications_path)]
    assert sorted(keys) == ["desk/desk-equity", "tier_1/opened"]
    (incident,) = fold_incidents(records, SERVICE)
    recorded = [key.split("/", 1)[1] for key in incident.told]
    assert sorted(recorded) == ["desk/desk-equity", "desk/desk-fx", "tier_1/opened"], "one notice, for both classes"
    assert {one.incident_id for one in records} == {opened.incident_id}
    assert messages_due(settings, SERVICE, records[-1].timestamp) == ()


def test_a_ledger_that_cannot_be_written_is_a_finding_of_the_run_and_not_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a held lock ended the triage before anybody was notified of a service that hung."""
    monkeypatch.setattr(ledger, "LOCK_TIMEOUT_S", 0.1)
    settings, seen = Incident(tmp_path).settings, three()

    with FileLock(f"{settings.ledger_path(SERVICE)}.lock"):
        update = incidents_recorded(settings, seen, HUNG)
    story = recorded(TriageStory(evidence=seen, diagnosis=HUNG), update)

    assert "LEDGER_UNWRITABLE" in update.fault
    assert not needs_runbook(story), "nothing is done"
    messages = [one for one in lost_ledger_messages(story) if one.audience is not Audience.DESK]
    assert [one.audience for one in messages] == [Audience.TIER_3, Audience.TIER_1]
    for one in messages:
        assert "locked for 0.1 s by" in one.text
        assert "service_hung" in one.text


def test_a_ledger_that_cannot_be_written_is_notified_in_a_healthy_minute_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits until it is needed learns of it in the outage."""
    monkeypatch.setattr(ledger, "PROBE_TIMEOUT_S", 0.1)
    settings = Incident(tmp_path).settings
    path = settings.ledger_path(SERVICE)
    before = path.read_bytes() if path.exists() else None

    with FileLock(f"{path}.lock"):
        fault = kept_of(settings, SERVICE).fault

    assert "LEDGER_UNWRITABLE" in fault
    assert "locked for 0.1 s by" in fault
    assert kept_of(settings, SERVICE).fault == ""
    assert (path.read_bytes() if path.exists() else None) == before, "asking writes nothing"
