"""Maintenance windows, folded from the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Diagnosis, Status
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.model.messages.messages import Message
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.maintenance_windows import maintenance_at, maintenance_ended_at, told_in_maintenance
from tasks.rules.reports.report_markdown import triage_markdown
from tests.fakes.incident.observations import observation
from tests.fakes.incident.past import with_past

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SERVICE = "order-service"


def started(minutes_ago: float = 10, for_minutes: float = 30, **changes: object) -> LedgerRecord:
    """A person's word that a window opens."""
    at = NOW - timedelta(minutes=minutes_ago)
    details = {"until": (at + timedelta(minutes=for_minutes)).isoformat(), "reason": "new disk", "by": "kim"}
    base = {"timestamp": at, "type": STARTED_TYPE, "service": SERVICE, "source": Source.OPERATOR, "details": details}
    return LedgerRecord.model_validate({**base, **changes})


def ended(minutes_ago: float = 0) -> LedgerRecord:
    """A person's word that it is over."""
    at = NOW - timedelta(minutes=minutes_ago)
    return LedgerRecord(timestamp=at, type=ENDED_TYPE, service=SERVICE, source=Source.OPERATOR)


def test_a_window_is_open_until_its_end() -> None:
    """While people work on the service, nobody is paged for it."""
    window = maintenance_at([started()], SERVICE, NOW)

    assert window
    assert (window.reason, window.by) == ("new disk", "kim")
    assert window.until == NOW + timedelta(minutes=20)
    assert maintenance_at([started()], SERVICE, window.until) is None


def test_a_person_ends_it_before_its_time() -> None:
    """The work is done: from now on people are paged again."""
    assert maintenance_at([started(), ended()], SERVICE, NOW) is None
    assert maintenance_at([started(60, 20), started(30, 40), ended(10)], SERVICE, NOW) is None


def test_the_last_word_decides_by_its_place_in_the_file() -> None:
    """A start after an end opens again, and a later start shortens or extends; a wrong clock changes nothing of it."""
    assert maintenance_at([started(), ended(-60), started(5)], SERVICE, NOW)
    assert maintenance_at([started(10, 300), started(9, 5)], SERVICE, NOW) is None
    longer = maintenance_at([started(10, 30), started(5, 60)], SERVICE, NOW)
    assert longer
    assert longer.until == NOW + timedelta(minutes=55)


@pytest.mark.parametrize("source", [Source.TRIAGE, Source.ORDER_SERVICE, None])
def test_only_a_person_opens_a_window(source: Source | None) -> None:
    """The service that is sick must not be able to silence its own alarm."""
    assert maintenance_at([started(source=source)], SERVICE, NOW) is None


def test_a_window_of_another_service_is_none_of_ours() -> None:
    """Two services may share a file."""
    assert maintenance_at([started(service="other"), started(service=None)], SERVICE, NOW) is None


def test_no_window_is_endless() -> None:
    """A typing error or a forged line silences a day at most."""
    forged = started(0, 10 * 365 * 1440)

    window = maintenance_at([forged], SERVICE, NOW)

    assert window
    assert window.until == NOW + timedelta(days=1)
    assert maintenance_at([forged], SERVICE, NOW + timedelta(days=1)) is None


def test_a_start_from_the_future_opens_nothing_now() -> None:
    """A line with a wrong clock must not move the bound of a day."""
    assert maintenance_at([started(-6)], SERVICE, NOW) is None
    assert maintenance_at([started(-5)], SERVICE, NOW)


@pytest.mark.parametrize("details", [{}, {"until": None}, {"until": "later"}, {"until": True}, {"until": [1]}])
def test_a_start_without_an_end_is_none_and_leaves_the_one_before(details: dict[str, object]) -> None:
    """What cannot be read as a window is no window."""
    assert maintenance_at([started(details=details)], SERVICE, NOW) is None
    assert maintenance_at([started(), started(details=details)], SERVICE, NOW)


def test_the_report_says_that_nothing_is_done_because_of_a_window() -> None:
    """Who wonders why nobody restarts it reads who works on it."""
    window = maintenance_at([started()], SERVICE, NOW)
    seen = with_past((observation(),), maintenance=window)

    text = triage_markdown(TriageStory(evidence=seen, diagnosis=Diagnosis(status=Status.OK)))

    assert "maintenance until 2026-11-23T15:20:00.000Z by kim, nothing is done: new disk" in text


def told(about: str) -> Message:
    """A message about something."""
    return Message(key=f"INC-1/tier_1/{about}", incident_id="INC-1", audience=Audience.TIER_1, text=about)


def test_in_a_window_only_recoveries_are_told() -> None:
    """Who was paged before it began hears the end; everything else waits."""
    messages = tuple(told(about) for about in ("opened", "refused-MAINTENANCE", "recovered", "closed", "closed#2"))

    assert [one.text for one in told_in_maintenance(messages, maintenance_at([started()], SERVICE, NOW))] == [
        "recovered",
        "closed",
        "closed#2",
    ]
    assert told_in_maintenance(messages, None) == messages


@pytest.mark.parametrize(
    ("records", "ended_minutes_ago"),
    [
        ([started(60, 30)], 30),
        ([started(30, 30)], 0),
        ([started(60, 20), started(30, 40), ended(10)], 10),
        ([started(10), ended(20)], 10),
        ([started(60, 20), started(30, 40), ended(50)], 30),
        ([started(60, 20), started(30, 40), ended(10), ended(50)], 30),
        ([started(60, 90), ended(10)], 10),
        ([started(60, 30), started(20, 10)], 10),
        ([started(60, 30), ended(-60)], 30),
        ([started()], None),
        ([], None),
    ],
    ids=[
        "by its time",
        "by its time, now",
        "the second of two by a person",
        "by a clock that is slow",
        "by a slow clock, the second",
        "ended twice",
        "by a person",
        "the last of two",
        "ended in the future",
        "still open",
        "none",
    ],
)
def test_the_end_of_the_last_window_is_known(records: list[LedgerRecord], ended_minutes_ago: float | None) -> None:
    """The timers of what waited during it begin there."""
    expected = NOW - timedelta(minutes=ended_minutes_ago) if ended_minutes_ago is not None else None

    assert maintenance_ended_at(records, SERVICE, NOW) == expected
