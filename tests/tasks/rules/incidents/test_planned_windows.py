"""Planned work: its windows against a walk from minute to minute, what they concern, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import IncidentState, LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE, Maintenance
from tasks.model.incidents.planned_work import PlannedWork
from tasks.model.probes.orders import AssetClass
from tasks.model.service.service_settings import ServiceSettings
from tasks.rules.incidents.maintenance_windows import (
    maintenance_at,
    maintenance_ended_at,
    planned_at,
    planned_ended_at,
)
from tasks.rules.incidents.planned_windows import is_planned, planned_words, windows_between
from tests.fakes.incident.cases import finding, unreachable

MINUTE = timedelta(minutes=1)
SERVICE = "order-service"
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
CHANGES = {
    "Europe/Berlin": (date(2026, 3, 28), date(2026, 10, 24)),
    "America/New_York": (date(2026, 3, 7), date(2026, 10, 31)),
    "Australia/Lord_Howe": (date(2026, 4, 4), date(2026, 10, 3)),
    "UTC": (date(2026, 3, 28), date(2026, 10, 24)),
}
EQUITY, FX = AssetClass.EQUITY, AssetClass.FX
AT = datetime(2026, 12, 1, 21, 10, tzinfo=UTC)


@st.composite
def works(draw: st.DrawFn) -> tuple[PlannedWork, frozenset[int], datetime]:
    """Draw work around a change of the clocks, its weekdays, and where a walk begins."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[zone]))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    begins = datetime.combine(change, datetime.min.time()) - timedelta(days=3)
    begins += timedelta(hours=draw(st.integers(0, 23)), minutes=draw(st.sampled_from((0, 15, 30))))
    work = PlannedWork(
        name="test session",
        starts=begins,
        duration=draw(st.sampled_from(("15m", "45m", "3h", "20h"))),
        rrule=f"FREQ=WEEKLY;BYDAY={','.join(DAYS[day] for day in sorted(days))}",
        time_zone=zone,
    )
    return work, days, datetime.combine(change, datetime.min.time(), UTC) - timedelta(hours=12)


@given(works())
@settings(max_examples=15, deadline=None)
def test_each_minute_lies_in_a_window_where_the_clock_on_the_wall_says_so(
    drawn: tuple[PlannedWork, frozenset[int], datetime],
) -> None:
    """A session at 22:00 in the venue's city is at 22:00 there, also in the night in which the clocks are changed."""
    work, days, first = drawn
    zone, last = ZoneInfo(work.time_zone), first + timedelta(days=2)
    windows = windows_between([work], first, last)
    until, minute = first - timedelta(days=9), first - timedelta(hours=21)
    while minute < last:
        if _begins(minute, work, days, zone):
            until = minute + work.length
        if minute >= first:
            found = any(one.started_at <= minute < one.until for one in windows)
            assert (minute, found) == (minute, minute < until)
        minute += MINUTE


def _begins(minute: datetime, work: PlannedWork, days: frozenset[int], zone: ZoneInfo) -> bool:
    """Say whether the clock shows the start, or would have, had it not been set forward over it."""
    local = minute.astimezone(zone)
    before = (minute - timedelta(hours=3)).astimezone(zone).utcoffset()
    assert before is not None
    unchanged = (minute + before).replace(tzinfo=None)
    for shown, counts in ((local.replace(tzinfo=None), local.fold == 0), (unchanged, _is_skipped(unchanged, zone))):
        if counts and shown.time() == work.starts.time() and shown.weekday() in days and shown >= work.starts:
            return True
    return False


def _is_skipped(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall


def work(**changes: object) -> PlannedWork:
    """A test session of a venue on that evening."""
    base = {"name": "test session", "starts": "2026-12-01T21:00:00", "duration": "30m", "gateways": ["XNAS"]}
    return PlannedWork.model_validate({**base, **changes})


def said(kind: str, at: datetime, **details: object) -> LedgerRecord:
    """A word of a person."""
    return LedgerRecord(timestamp=at, type=kind, service=SERVICE, source=Source.OPERATOR, details=details)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"duration": None}, "one of ends and duration is expected"),
        ({"ends": "2026-12-01T22:00:00"}, "one of ends and duration is expected"),
        ({"duration": "25h"}, "a duration such as 45m or 2h is expected, a day at most"),
        ({"duration": None, "ends": "2026-12-02T21:00:01"}, "ends after it starts is expected, within a day"),
        ({"duration": None, "ends": "2026-12-01T21:00:00"}, "ends after it starts is expected, within a day"),
        ({"rrule": "FREQ=HOURLY"}, "an RRULE such as FREQ=WEEKLY;BYDAY=SA is expected"),
        ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z"}, "COUNT or UNTIL or neither"),
        ({"rrule": "FREQ=DAILY\nRDATE:20261201"}, "an RRULE such as FREQ=WEEKLY;BYDAY=SA is expected"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX"}, "an RRULE that can be read is expected"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "an RRULE with an INTERVAL of 1 or more is expected"),
        ({"rrule": "FREQ=DAILY;UNTIL=20261101T000000Z"}, "an RRULE that comes to pass is expected"),
        ({"rrule": "FREQ=DAILY", "duration": "1d"}, "these go on for over a day"),
        ({"rrule": "FREQ=DAILY;BYHOUR=0,12", "duration": "12h"}, "these go on for over a day"),
        ({"rrule": "FREQ=DAILY", "starts": "2026-12-01T21:00:00Z"}, "a start without an offset, are expected"),
        ({"name": " "}, "at least 1 character"),
    ],
)
def test_work_that_never_ends_or_cannot_be_read_is_refused(changes: dict[str, object], words: str) -> None:
    """A window without an end would switch the automation off for good."""
    with pytest.raises(ValidationError) as caught:
        work(**changes)

    assert words in str(caught.value)


def test_a_gateway_or_class_that_the_service_does_not_have_is_refused() -> None:
    """A slip in a name would hold nothing back."""
    with pytest.raises(ValidationError, match="expected a gateway of XNAS, was XNSA"):
        ServiceSettings(gateways={"XNAS": "http://127.0.0.1:1"}, planned=(work(gateways=["XNSA"]),))


def test_a_rule_that_ends_in_utc_ends_then() -> None:
    """RFC 5545 wants the end of a rule in UTC, whatever the zone of its start."""
    daily = work(rrule="FREQ=DAILY;UNTIL=20261202T200000Z", time_zone="Europe/Berlin")

    assert [one.started_at.day for one in windows_between([daily], AT - timedelta(days=9), AT + timedelta(days=9))] == [
        1,
        2,
    ]


def test_a_window_of_a_part_is_none_of_the_whole_service() -> None:
    """A test session of one venue keeps nobody from restarting a service that hangs."""
    assert maintenance_at((), SERVICE, AT, [work()]) is None
    (open_,) = planned_at((), SERVICE, AT, [work()])
    assert (open_.until, open_.by, open_.reason) == (AT + 20 * MINUTE, "runbook.toml", "planned test session")
    assert planned_at((), SERVICE, AT - 11 * MINUTE, [work()]) == ()
    assert planned_at((), SERVICE, AT + 20 * MINUTE, [work()]) == ()


def test_planned_work_on_the_whole_service_is_a_maintenance_window() -> None:
    """Whatever holds for a person's window holds for it; a person's own goes first."""
    whole = work(gateways=[], expected="end-of-day run")
    window = maintenance_at((), SERVICE, AT, [whole])
    own = said(STARTED_TYPE, AT, until=(AT + MINUTE).isoformat(), reason="switch", by="kim")

    assert window is not None
    assert (window.reason, window.by) == ("planned test session: end-of-day run", "runbook.toml")
    mine = maintenance_at([own], SERVICE, AT, [whole])
    assert mine is not None
    assert mine.by == "kim"
    assert maintenance_ended_at((), SERVICE, AT + 30 * MINUTE, [whole]) == AT + 20 * MINUTE


def test_a_person_ends_planned_work_early() -> None:
    """The venue is back sooner than planned: pages and actions go on from now."""
    ended = said(ENDED_TYPE, AT, by="kim")
    incident = _incident()

    assert planned_at([ended], SERVICE, AT + MINUTE, [work()]) == ()
    assert planned_at([said(ENDED_TYPE, AT - timedelta(hours=1))], SERVICE, AT, [work()]) != ()
    assert planned_ended_at(incident, [ended], AT + MINUTE, [work()]) == AT
    assert planned_ended_at(incident, (), AT + 30 * MINUTE, [work()]) == AT + 20 * MINUTE
    assert planned_ended_at(_incident(gateways=("XCME",)), (), AT + 30 * MINUTE, [work()]) is None


def _incident(**changes: object) -> IncidentState:
    base = {"incident_id": "INC-1", "service": SERVICE, "state": "opened", "opened_at": AT, "gateways": ("XNAS",)}
    return IncidentState.model_validate({**base, "causes": (Cause.DEPENDENCY_UNREACHABLE,), **changes})


def window(**concerns: object) -> Maintenance:
    """A planned window that is open."""
    return Maintenance.model_validate({"started_at": AT, "until": AT + 20 * MINUTE, "name": "test session", **concerns})


XNAS_WINDOW, EQUITY_WINDOW = window(gateways=("XNAS",)), window(asset_classes=(EQUITY,))


@pytest.mark.parametrize(
    ("windows", "found", "is_held"),
    [
        ((XNAS_WINDOW,), unreachable("XNAS"), True),
        ((XNAS_WINDOW,), unreachable("XNAS", "XCME"), False),
        ((XNAS_WINDOW,), unreachable("XCME"), False),
        ((XNAS_WINDOW, window(gateways=("XCME",))), unreachable("XNAS", "XCME"), True),
        ((EQUITY_WINDOW,), unreachable("XNAS"), True),
        ((EQUITY_WINDOW,), unreachable("XNAS", classes=(EQUITY, FX)), False),
        ((EQUITY_WINDOW,), unreachable("XNAS", classes=()), False),
        ((window(gateways=("XNAS",), asset_classes=(EQUITY,)),), unreachable("XNAS"), True),
        ((window(gateways=("XNAS",), asset_classes=(EQUITY,)),), unreachable("XNAS", classes=(EQUITY, FX)), False),
        ((window(gateways=("XNAS",), asset_classes=(EQUITY,)),), unreachable("XCME"), False),
        ((EQUITY_WINDOW,), finding(Cause.BAD_RELEASE, asset_classes=(EQUITY,)), True),
        ((EQUITY_WINDOW,), finding(Cause.SERVICE_HUNG, asset_classes=(EQUITY,)), False),
        ((EQUITY_WINDOW,), finding(Cause.SERVICE_DOWN, asset_classes=(EQUITY,)), False),
        ((EQUITY_WINDOW,), finding(Cause.CLIENT_MISBEHAVIOUR, asset_classes=(EQUITY,), strategies=("s",)), False),
        ((EQUITY_WINDOW,), finding(Cause.INFRASTRUCTURE, asset_classes=(EQUITY,)), False),
        ((EQUITY_WINDOW,), finding(Cause.MONITOR_BLIND, asset_classes=(EQUITY,)), False),
        ((), unreachable("XNAS"), False),
    ],
)
def test_only_what_lies_wholly_within_planned_work_is_planned(
    windows: tuple[Maintenance, ...], found: object, is_held: bool
) -> None:
    """A fault beside it is a fault: nobody's test session explains a service that hangs, or another venue."""
    assert is_planned(found, windows) is is_held  # type: ignore[arg-type]


NAMES = st.frozensets(st.sampled_from(("XNAS", "XCME", "FXALL")), max_size=3)
CLASSES = st.frozensets(st.sampled_from((EQUITY, FX)), max_size=2)
CONCERNS = st.builds(lambda names, classes: window(gateways=tuple(names), asset_classes=tuple(classes)), NAMES, CLASSES)


@given(st.lists(CONCERNS, max_size=3), NAMES, CLASSES, st.sampled_from(Cause))
def test_what_planned_work_holds_back_never_reaches_beyond_it(
    windows: list[Maintenance], gateways: frozenset[str], classes: frozenset[AssetClass], cause: Cause
) -> None:
    """Whatever is planned and is wrong: with one gateway and one class more, that nobody named, it is a fault."""
    found = finding(cause, gateways=tuple(gateways), asset_classes=tuple(classes))
    wider = finding(cause, gateways=(*gateways, "XLON"), asset_classes=(*classes, AssetClass.CRYPTO))

    assert not is_planned(wider, windows)
    if is_planned(found, windows):
        named = {name for one in windows for name in one.concerns}
        assert gateways & named or classes & named
        assert is_planned(found, [*windows, XNAS_WINDOW]), "one window more holds back no less"


def test_an_incident_that_has_spread_is_no_longer_planned() -> None:
    """It began at the venue that tests, and has reached one that does not."""
    assert is_planned(_incident(), (XNAS_WINDOW,))
    assert not is_planned(_incident(told=("INC-1/tier_3/also-XCME",)), (XNAS_WINDOW,))
    assert not is_planned(_incident(causes=()), (XNAS_WINDOW,))


def test_the_headline_says_what_is_planned_and_until_when() -> None:
    """The trader's question is answered before it is asked."""
    words = planned_words((window(gateways=("XNAS",)), window()), SERVICE)

    assert words == ("XNAS: planned test session until 21:30Z. order-service: planned test session until 21:30Z.")
