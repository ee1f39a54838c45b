"""When nobody looks at the service any more."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.rules.fleet.watchdog import (
    Stall,
    is_activity,
    last_activity_at,
    stall_incident,
    stall_of,
    stall_records,
)
from tasks.rules.incidents.fold import open_incidents

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NAME = "order-service"


def stall(quiet_s: float, *, acting: bool = False, watching_s: float | None = None) -> Stall:
    """Judge a watch that showed its last sign some seconds ago."""
    since = None if watching_s is None else NOW - timedelta(seconds=watching_s)
    return stall_of(NOW - timedelta(seconds=quiet_s), NOW, acting=acting, approval_timeout_s=300, watching_since=since)


def record(event: Event, source: Source, after_s: float = 0, service: str | None = NAME) -> LedgerRecord:
    """One record of the ledger."""
    at = NOW + timedelta(seconds=after_s)
    return LedgerRecord(timestamp=at, type="x", service=service, incident_id="INC-1", event=event, source=source)


@pytest.mark.parametrize(
    ("quiet_s", "acting", "stalled"),
    [
        (60, False, False),
        (179, False, False),
        (180, False, True),
        (180, True, False),
        (1079, True, False),
        (1080, True, True),
    ],
)
def test_three_quiet_minutes_are_silence_unless_somebody_acts_or_is_asked(
    quiet_s: float, acting: bool, stalled: bool
) -> None:
    """A restart with its proof takes longer than that; a run that hangs with the lock in its hand is reported too."""
    assert stall(quiet_s, acting=acting).stalled is stalled


def test_who_has_just_begun_to_watch_gives_the_triages_their_time() -> None:
    """After a night switched off the first triage is still on its way; and the message says since when, truly."""
    assert not stall(36_000, watching_s=100).stalled
    long_gone = stall(36_000, watching_s=200)
    assert long_gone.stalled
    assert long_gone.since == NOW - timedelta(hours=10)
    assert "2026-11-23T05:00:00" in long_gone.detail


@pytest.mark.parametrize(
    ("one", "sign"),
    [
        (record(Event.ACTION_STARTED, Source.TRIAGE), True),
        (record(Event.OBSERVED, Source.TRIAGE), False),
        (record(Event.OPENED, Source.TRIAGE), False),
        (record(Event.ACTION_FINISHED, Source.TRIAGE), True),
        (record(Event.NOTIFIED, Source.TRIAGE), False),
        (record(Event.ESCALATED, Source.TRIAGE), False),
        (record(Event.OPENED, Source.WATCHDOG), False),
        (record(Event.OBSERVED, Source.ORDER_SERVICE), False),
        (record(Event.ACKNOWLEDGED, Source.OPERATOR), False),
        (record(Event.OBSERVED, Source.TRIAGE, service="another"), False),
    ],
)
def test_only_a_triage_at_work_is_a_sign_of_life(one: LedgerRecord, sign: bool) -> None:
    """That the silence was told must not end it; nor does a triage that records and then breaks, each minute again."""
    assert is_activity(one, NAME) is sign


def test_a_word_from_the_future_is_no_sign() -> None:
    """A clock that was set back would else keep the silence from being told for as long."""
    looked = NOW - timedelta(minutes=5)
    ahead = record(Event.ACTION_STARTED, Source.TRIAGE, after_s=3600)
    wrote = record(Event.ACTION_FINISHED, Source.TRIAGE, after_s=-60)

    assert last_activity_at([looked], [ahead], NAME, NOW) == looked
    assert last_activity_at([looked], [ahead, wrote], NAME, NOW) == wrote.timestamp


def test_one_silence_is_one_incident_whoever_finds_it() -> None:
    """The automation and the endpoint both watch; people hear of one thing."""
    found = stall(200)
    first = stall_records((), NAME, found, NOW)
    (incident,) = open_incidents(first, NAME)

    assert [one.event for one in first] == [Event.OPENED, Event.DIAGNOSED]
    assert {one.source for one in first} == {Source.WATCHDOG}
    assert incident.incident_id == stall_incident(NAME, found).incident_id
    assert incident.causes == (Cause.MONITOR_BLIND,)
    assert incident.tier is Audience.TIER_3
    assert stall_records(first, NAME, stall(260), NOW) == ()
