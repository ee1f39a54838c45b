"""Who is on call when: turns of a rotation, what stands in their place, and the times that nobody has."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tasks.model.people.rota import Gap, Roster, RotaSettings, Shift
from tasks.rules.formats.time import LAST

# No clock of the world is further from UTC, and none was ever moved by more at once.
ANY_ZONE = timedelta(hours=26)


def rotation_roster(rota: RotaSettings, starts: datetime, ends: datetime) -> Roster:
    """Lay out a rotation and its overrides between two moments."""
    return roster_of(rota, tuple(turns(rota, starts, ends)), starts, ends)


def turns(rota: RotaSettings, starts: datetime, ends: datetime) -> Iterator[Shift]:
    """Give the turns of a rotation that touch a time, each from hand-over to hand-over by the clock on the wall."""
    if rota.starts is None:
        return
    first = datetime.combine(rota.starts, rota.hand_over)
    last = rota.hand_over_on(rota.ends) if rota.ends else LAST
    local = starts.astimezone(ZoneInfo(rota.time_zone)).replace(tzinfo=None)
    turn = max(0, (local - first - ANY_ZONE) // rota.shift_length)
    begins = rota.moment(first + turn * rota.shift_length)
    while begins < min(ends, last):
        until = rota.moment(first + (turn + 1) * rota.shift_length)
        if min(until, last) > max(starts, begins):
            yield Shift(person=rota.rotation[turn % len(rota.rotation)], starts=begins, ends=min(until, last))
        turn, begins = turn + 1, until


def roster_of(rota: RotaSettings, base: Sequence[Shift], starts: datetime, ends: datetime) -> Roster:
    """Put the overrides over the shifts, so that one person at a time is on call.

    Where two shifts of a calendar overlap, the one that began last has the time.
    """
    overrides = [
        Shift(person=one.person, starts=rota.moment(one.starts), ends=rota.moment(one.ends)) for one in rota.overrides
    ]
    ordered = [*sorted(base, key=lambda one: (one.starts, one.person)), *sorted(overrides, key=lambda one: one.starts)]
    near = [one for one in ordered if one.starts < ends and one.ends > starts]
    return Roster(shifts=tuple(_one_at_a_time(near)), starts=starts, ends=ends)


def _one_at_a_time(shifts: Sequence[Shift]) -> Iterator[Shift]:
    """Cut shifts at each other's ends; the last of the list that covers a time has it."""
    moments = sorted({moment for one in shifts for moment in (one.starts, one.ends)})
    held: tuple[Shift, datetime] | None = None
    for begins, until in pairwise(moments):
        shift = next((one for one in reversed(shifts) if one.starts <= begins and one.ends >= until), None)
        if held and held[0] is not shift:
            yield held[0].model_copy(update={"starts": held[1], "ends": begins})
            held = None
        if shift and held is None:
            held = (shift, begins)
    if held:
        yield held[0].model_copy(update={"starts": held[1], "ends": moments[-1]})


def shift_at(roster: Roster, now: datetime) -> Shift | None:
    """Find who is on call at a moment; the one who takes over has the moment of the hand-over."""
    return next((one for one in roster.shifts if one.starts <= now < one.ends), None)


def next_shift(roster: Roster, now: datetime) -> Shift | None:
    """Find who is on call next."""
    return next((one for one in roster.shifts if one.starts > now), None)


def gaps_of(roster: Roster, starts: datetime, ends: datetime) -> tuple[Gap, ...]:
    """Find the times between two moments that nobody is on call, as far as the roster goes."""
    starts, ends = max(starts, roster.starts), min(ends, roster.ends)
    taken = [(max(one.starts, starts), min(one.ends, ends)) for one in roster.shifts]
    edges = [(starts, starts), *(one for one in taken if one[0] < one[1]), (ends, ends)]
    return tuple(Gap(starts=before[1], ends=after[0]) for before, after in pairwise(edges) if before[1] < after[0])


def overlaps(shifts: Iterable[Shift]) -> tuple[Shift, Shift] | None:
    """Find the first two shifts of different people that overlap; None where nobody is asked for twice."""
    ordered = sorted(shifts, key=lambda one: (one.starts, one.ends))
    return next(
        (pair for pair in pairwise(ordered) if pair[1].starts < pair[0].ends and pair[0].person != pair[1].person), None
    )
