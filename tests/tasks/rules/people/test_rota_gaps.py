"""A gap is reported the day before, once, in plain words."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import LedgerRecord
from tasks.model.incidents.modes import Mode
from tasks.model.people.rota import Roster, RotaSettings
from tasks.rules.people.rota import rotation_roster
from tasks.rules.people.rota_gaps import AHEAD, BACK, due_gaps, gap_messages, gap_record

GAP = datetime(2026, 12, 3, 8, tzinfo=UTC)
ROTA = RotaSettings(rotation=("ada",), starts=date(2026, 11, 1), ends=date(2026, 12, 3), shift="1d")


def due(now: datetime, *records: LedgerRecord) -> list[tuple[datetime, datetime]]:
    """The gaps that are reported at a moment."""
    found = due_gaps({Audience.TIER_1: rotation_roster(ROTA, now - BACK, now + AHEAD)}, records, now)
    return [(one.gap.starts, one.gap.ends) for one in found]


def reported(now: datetime) -> LedgerRecord:
    """The record of the report at a moment."""
    (found,) = due_gaps({Audience.TIER_1: rotation_roster(ROTA, now - BACK, now + AHEAD)}, (), now)
    return gap_record(found, "order-service", now)


def test_a_gap_is_reported_a_day_before_and_not_sooner() -> None:
    """The day before there is still time to ask somebody."""
    assert due(GAP - timedelta(days=1)) == []
    assert due(GAP - timedelta(hours=23)) == [(GAP, GAP - timedelta(hours=23) + AHEAD)]


@pytest.mark.parametrize("later", [timedelta(minutes=15), timedelta(hours=23), timedelta(days=6)])
def test_a_gap_is_reported_once(later: timedelta) -> None:
    """The ledger holds the timer: no later run, and none after a crash, reports it again."""
    now = GAP - timedelta(hours=23)

    assert due(now + later, reported(now)) == []


def test_a_gap_that_begins_sooner_than_the_reported_one_is_reported() -> None:
    """Somebody took a shift out of the rota."""
    now = GAP - timedelta(hours=23)
    record = reported(now)
    details = {**record.details, "starts": (GAP + timedelta(hours=1)).isoformat()}

    assert len(due(now, record.model_copy(update={"details": details}))) == 1
    assert len(due(now, record.model_copy(update={"details": {**record.details, "tier": "tier_2"}}))) == 1
    assert len(due(now, record.model_copy(update={"details": {}}))) == 1


def test_what_a_calendar_says_nothing_of_is_a_gap() -> None:
    """A calendar that cannot be read names nobody, and that is reported with why."""
    now = GAP
    roster = Roster(starts=now, ends=now, fault="its address answers 404")
    (found,) = due_gaps({Audience.TIER_2: roster}, (), now)
    to_on_call, to_platform = gap_messages(found, Mode.ACT, now)

    assert (to_on_call.audience, to_platform.audience) == (Audience.TIER_1, Audience.TIER_3)
    assert (
        to_on_call.text
        == to_platform.text
        == (
            "Nobody has been on call for tier 2 since 08:00Z until 2026-12-11 08:00Z at least. "
            "The calendar: its address answers 404. Pages of that time call nobody by name. "
            "To fill it: an override in `on_call`, or the calendar. To see the rota: `runbook oncall`. "
            "[ROTA-20261203T0800Z-tier_2] mode=act."
        )
    )


def test_a_gap_that_began_before_the_time_that_is_read_names_no_beginning() -> None:
    """Nobody looked further back, so nobody knows since when."""
    now = GAP + timedelta(days=5)
    (found,) = due_gaps({Audience.TIER_1: rotation_roster(ROTA, now - BACK, now + AHEAD)}, (), now)

    assert gap_messages(found, Mode.ACT, now)[0].text.startswith(
        "Nobody has been on call for tier 1 for over a day, until 2026-12-16 08:00Z at least."
    )


def test_a_gap_ahead_says_from_when_until_when() -> None:
    """The first words are what is wrong, and when."""
    now = GAP - timedelta(hours=10)
    rota = ROTA.model_copy(update={"overrides": ()})
    roster = rotation_roster(rota, now - BACK, now + timedelta(days=2))
    roster = roster.model_copy(update={"ends": now + AHEAD})
    (found,) = due_gaps({Audience.TIER_1: roster}, (), now)

    assert gap_messages(found, Mode.ACT, now)[0].text.startswith(
        "Nobody is on call for tier 1 from 08:00Z until 2026-12-10 22:00Z at least."
    )
