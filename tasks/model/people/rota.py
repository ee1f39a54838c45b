"""A rota: who is on call when, by tier, as a person writes it into the settings (`[on_call.tier_1]`)."""

import itertools
import re
from collections.abc import Container
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.people.person import PersonKey
from tasks.model.setting_types import Day, SecretUrl, Table, TimeZone, WallTime, moment_of
from tasks.model.values import Value

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
# A clock that is set forward skips an hour: shifts that are longer than that still follow each other.
_SHORTEST = timedelta(hours=4)
_FAR = timedelta(days=60)


def _length(text: str) -> str:
    found = re.fullmatch(r"([1-9]\d{0,2})([hdw])", text)
    if found is None or int(found[1]) * _UNITS[found[2]] < _SHORTEST:
        raise ValueError("a length such as 12h, 1d or 1w is expected, four hours at least")
    return text


ShiftLength = Annotated[str, AfterValidator(_length)]


class Override(Table):
    """Who is on call instead, from one moment to another."""

    person: PersonKey
    starts: WallTime
    ends: WallTime


class RotaSettings(Table):
    """The rota of one tier: people who take turns, or a calendar that names them; and who stands in."""

    rotation: tuple[PersonKey, ...] = ()
    starts: Day | None = None
    ends: Day | None = None
    shift: ShiftLength = "1w"
    hand_over: time = time(8)
    time_zone: TimeZone = "UTC"
    calendar_file: Path | None = None
    calendar_url: SecretUrl | None = None
    overrides: Annotated[tuple[Override, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(map(bool, (self.rotation, self.calendar_file, self.calendar_url))) != 1:
            raise ValueError("one of rotation, calendar_file and calendar_url is expected")
        if self.rotation and self.starts is None:
            raise ValueError("starts, the day of the first hand-over, is expected beside the rotation")
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValueError(f"ends after {self.starts} is expected")
        return self

    @model_validator(mode="after")
    def _overrides_are_apart(self) -> Self:
        spans = sorted((self.moment(one.starts), self.moment(one.ends), one.person) for one in self.overrides)
        for starts, ends, person in spans:
            if ends <= starts:
                raise ValueError(f"an override that ends after it starts is expected, that of {person} does not")
        for before, after in itertools.pairwise(spans):
            if after[0] < before[1]:
                raise ValueError(f"overrides that do not overlap are expected, those of {before[2]} and {after[2]} do")
        return self

    @property
    def has_calendar(self) -> bool:
        """Say whether a calendar names the people, and not the settings themselves."""
        return not self.rotation

    @property
    def shift_length(self) -> timedelta:
        """Say how long a turn is by the clock on the wall."""
        return int(self.shift[:-1]) * _UNITS[self.shift[-1]]

    @property
    def horizon(self) -> timedelta:
        """Say how far ahead the end of a turn may lie."""
        return _FAR if self.has_calendar else self.shift_length

    def moment(self, wall: datetime) -> datetime:
        """Give the moment of a time on the wall of this rota."""
        return moment_of(wall, self.time_zone)

    def hand_over_on(self, day: date) -> datetime:
        """Give the moment of the hand-over on a day."""
        return self.moment(datetime.combine(day, self.hand_over))


class OnCallSettings(Table):
    """The rotas, by tier; a tier without one is reached as a whole."""

    tier_1: RotaSettings | None = None
    tier_2: RotaSettings | None = None
    tier_3: RotaSettings | None = None

    @property
    def rotas(self) -> dict[Audience, RotaSettings]:
        """List the rotas that there are."""
        tiers = {Audience.TIER_1: self.tier_1, Audience.TIER_2: self.tier_2, Audience.TIER_3: self.tier_3}
        return {tier: rota for tier, rota in tiers.items() if rota is not None}


def rota_fault(on_call: OnCallSettings, people: Container[str]) -> str | None:
    """Name the first person of a rota who is not among the people; None where all are."""
    for tier, rota in on_call.rotas.items():
        unknown = next(
            (one for one in (*rota.rotation, *(one.person for one in rota.overrides)) if one not in people), ""
        )
        if unknown:
            return f"key=on_call.{tier} expected a person of [people] was {unknown!r}; add [people.{unknown}]"
    return None


class Shift(Value):
    """One person on call from one moment to another, by the key of `[people]`."""

    person: str
    starts: AwareDatetime
    ends: AwareDatetime


class Gap(Value):
    """A time that nobody is on call."""

    starts: AwareDatetime
    ends: AwareDatetime


class Roster(Value):
    """What is known of a rota between two moments: its shifts, one at a time, and what is wrong with it.

    `as_of` is when its calendar was read, where it has one; `fault` is one line for people.
    """

    shifts: tuple[Shift, ...] = ()
    starts: AwareDatetime
    ends: AwareDatetime
    as_of: AwareDatetime | None = None
    fault: str = ""

    def covers(self, now: datetime) -> bool:
        """Say whether anything is known of a moment."""
        return self.starts <= now < self.ends


class KeptCalendar(Value):
    """What was read of a calendar between two moments.

    `source` tells one calendar, and one state of its file, from another; `read_at` is when it was last read well,
    `asked_at` when it was last asked for; `fault` says what is wrong with it.
    """

    source: str
    asked_at: AwareDatetime
    read_at: AwareDatetime | None = None
    starts: AwareDatetime
    ends: AwareDatetime
    shifts: tuple[Shift, ...] = ()
    fault: str = ""


# The record of the ledger that says that a gap was reported.
GAP_TYPE = "rota_gap"
