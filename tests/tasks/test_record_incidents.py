"""Two triggers in one second: an alert, a schedule and a person at once are one incident."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.notifications import read_deliveries
from tasks.find_due_pages import messages_due
from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incident import Event
from tasks.model.report import TriageStory
from tasks.notify import told
from tasks.record_incidents import incidents_recorded
from tasks.rules.messages import opening_messages
from tests.fakes.escalating import SERVICE, Incident
from tests.fakes.looks import three

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
            told(settings, SERVICE, message)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trigger, range(8)))

    records = read_ledger(settings.ledger_path(SERVICE)).records
    (opened,) = (one for one in records if one.event == Event.OPENED)
    keys = [one.key.split("/", 1)[1] for one in read_deliveries(settings.notifications_path)]
    assert sorted(keys) == ["desk/desk-equity", "desk/desk-fx", "tier_1/opened"]
    assert {one.incident_id for one in records} == {opened.incident_id}
    assert messages_due(settings, SERVICE, records[-1].timestamp) == ()
