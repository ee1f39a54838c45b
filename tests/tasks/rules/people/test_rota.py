"""The rota against a model that walks minute by minute: nobody is missed, nobody is doubled, and hand-over is exact."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.model.people.rota import Override, RotaSettings
from tasks.rules.people.rota import gaps_of, next_shift, rotation_roster, shift_at, turns

MINUTE = timedelta(minutes=1)
PEOPLE = ("ada", "sam", "eve")
# Forward and back by an hour, by half an hour, on a Saturday night or a Friday, at midnight and at two; and never.
ZONES = {
    "Europe/Berlin": (date(2026, 3, 28), date(2026, 10, 24)),
    "America/New_York": (date(2026, 3, 7), date(2026, 10, 31)),
    "Australia/Lord_Howe": (date(2026, 4, 4), date(2026, 10, 3)),
    "Africa/Cairo": (date(2026, 4, 23), date(2026, 10, 29)),
    "Asia/Tokyo": (date(2026, 3, 28), date(2026, 10, 24)),
}


def walked(rota: RotaSettings, starts: datetime, ends: datetime) -> Iterator[tuple[datetime, str]]:
    """Walk through a time minute by minute, looking at the clock on the wall, and say who is on call in each."""
    zone, length = ZoneInfo(rota.time_zone), rota.shift_length
    assert rota.starts is not None
    due = datetime.combine(rota.starts, rota.hand_over)
    overrides = [(one.starts.replace(tzinfo=UTC), one.ends.replace(tzinfo=UTC), one.person) for one in rota.overrides]
    turn, minute = -1, starts
    while minute < ends:
        while _strikes(minute, due, zone):
            turn, due = turn + 1, due + length
        instead = next((who for begins, until, who in overrides if begins <= minute < until), None)
        regular = rota.rotation[turn % len(rota.rotation)] if turn >= 0 else ""
        yield minute, instead or regular
        minute += MINUTE


def _strikes(minute: datetime, due: datetime, zone: ZoneInfo) -> bool:
    """Say whether the clock shows the time that is due, or would show it had it not been set forward over it."""
    local = minute.astimezone(zone)
    if local.replace(tzinfo=None) == due:
        return local.fold == 0
    back = due.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    before = (minute - timedelta(hours=3)).astimezone(zone).utcoffset()
    assert before is not None
    return back != due and (minute + before).replace(tzinfo=None) == due


@st.composite
def rotas(draw: st.DrawFn) -> tuple[RotaSettings, datetime]:
    """Draw a rota around a change of the clocks, and a moment a little before its first hand-over."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    change = draw(st.sampled_from(ZONES[zone]))
    starts = change + timedelta(days=draw(st.integers(-1, 1)))
    rota = RotaSettings(
        rotation=tuple(draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4))),
        starts=starts,
        shift=draw(st.sampled_from(("4h", "6h", "8h", "12h", "1d", "2d"))),
        hand_over=time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 15, 30)))),
        time_zone=zone,
        overrides=tuple(draw(_overrides(starts))),
    )
    return rota, datetime.combine(starts, time(), UTC) - timedelta(days=1)


@st.composite
def _overrides(draw: st.DrawFn, day: date) -> list[Override]:
    edges = sorted(draw(st.sets(st.integers(0, 3 * 24 * 60), max_size=6)))
    first = datetime.combine(day, time(), UTC)
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    return [
        Override(person=draw(st.sampled_from(PEOPLE)), starts=first + begins * MINUTE, ends=first + until * MINUTE)
        for begins, until in spans
    ]


@given(rotas())
@settings(max_examples=15, deadline=None)
def test_each_minute_has_the_person_whom_the_clock_on_the_wall_says(drawn: tuple[RotaSettings, datetime]) -> None:
    """The page goes to the one whose turn it is, also in the night in which the clocks are changed."""
    rota, starts = drawn
    ends = starts + timedelta(days=3)
    roster = rotation_roster(rota, starts, ends)
    shifts, place = roster.shifts, 0

    for minute, person in walked(rota, starts, ends):
        while place < len(shifts) and shifts[place].ends <= minute:
            place += 1
        found = shifts[place].person if place < len(shifts) and shifts[place].starts <= minute else ""
        assert (minute, found) == (minute, person)


@given(rotas())
@settings(max_examples=60, deadline=None)
def test_shifts_and_gaps_together_are_the_whole_time_and_never_twice(drawn: tuple[RotaSettings, datetime]) -> None:
    """No moment is without an answer, and none has two."""
    rota, starts = drawn
    ends = starts + timedelta(days=6)
    roster = rotation_roster(rota, starts, ends)
    parts = sorted(
        [
            *((max(one.starts, starts), min(one.ends, ends)) for one in roster.shifts),
            *((one.starts, one.ends) for one in gaps_of(roster, starts, ends)),
        ]
    )

    assert parts[0][0] == starts
    assert parts[-1][1] == ends
    assert all(before[1] == after[0] for before, after in itertools.pairwise(parts))


@given(rotas(), st.integers(0, 5000))
@settings(max_examples=60, deadline=None)
def test_a_part_of_the_time_says_what_the_whole_says(drawn: tuple[RotaSettings, datetime], minutes: int) -> None:
    """A page reads a few hours of the rota, and names whom the whole rota names."""
    rota, starts = drawn
    now = starts + minutes * MINUTE
    whole = shift_at(rotation_roster(rota, starts, starts + timedelta(days=9)), now)
    moment = shift_at(rotation_roster(rota, now, now + MINUTE), now)
    turn = shift_at(rotation_roster(rota, now, now + rota.horizon), now)

    assert (moment.person if moment else "") == (whole.person if whole else "")
    assert (turn and (turn.person, turn.ends)) == (whole and (whole.person, whole.ends))


def test_the_hand_over_is_exact() -> None:
    """At the minute of the hand-over the one who takes over is on call, a moment before it the other one."""
    rota = RotaSettings(
        rotation=("ada", "sam"), starts=date(2026, 11, 30), shift="1w", hand_over=time(8), time_zone="Europe/Berlin"
    )
    at = datetime(2026, 12, 7, 7, tzinfo=UTC)
    roster = rotation_roster(rota, at - timedelta(days=1), at + timedelta(days=9))

    before, after = shift_at(roster, at - timedelta(microseconds=1)), shift_at(roster, at)
    assert before is not None
    assert after is not None
    assert (before.person, before.ends, after.person) == ("ada", at, "sam")
    assert next_shift(roster, at - MINUTE) == after


def test_nobody_is_on_call_before_a_rota_starts_and_after_it_ends() -> None:
    """A rota that nobody renewed is a gap, and never the last person for ever."""
    rota = RotaSettings(rotation=("ada",), starts=date(2026, 12, 1), ends=date(2026, 12, 3), shift="1d")
    starts, ends = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC)
    roster = rotation_roster(rota, starts, ends)

    assert [(one.starts, one.ends) for one in gaps_of(roster, starts, ends)] == [
        (starts, datetime(2026, 12, 1, 8, tzinfo=UTC)),
        (datetime(2026, 12, 3, 8, tzinfo=UTC), ends),
    ]


def test_a_rota_of_twenty_years_is_read_from_its_middle() -> None:
    """Whoever started a rota long ago waits for no count from its first day."""
    rota = RotaSettings(rotation=PEOPLE, starts=date(2000, 1, 3), shift="4h")
    at = datetime(2026, 12, 1, tzinfo=UTC)

    assert len(list(turns(rota, at, at + timedelta(days=1)))) == 6
