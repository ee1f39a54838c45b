"""Work that is planned ahead, as a person writes it into the settings (`[[services.NAME.planned]]`)."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tasks.model.incidents.maintenance import LONGEST_S
from tasks.model.probes.orders import AssetClass
from tasks.model.setting_types import Table, TimeZone, WallTime, moment_of

if TYPE_CHECKING:
    from dateutil import rrule as recurrence

LONGEST = timedelta(seconds=LONGEST_S)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_OFTEN = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYHOUR", "BYMINUTE", "BYSETPOS", "WKST"}
)
# So many times in a row show whether one ends before the next begins.
_TRIED_COUNT = 400
_UNTIL = re.compile(r"(?<=UNTIL=)\d{8}T\d{6}Z")


def _duration(text: str) -> str:
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if found is None or int(found[1]) * _UNITS[found[2]] > LONGEST:
        raise ValueError("a duration such as 45m or 2h is expected, a day at most")
    return text


def _rule(text: str) -> str:
    parts = dict(part.partition("=")[::2] for part in text.upper().split(";"))
    if not _names(text) <= _PARTS or parts.get("FREQ") not in _OFTEN or {"COUNT", "UNTIL"} <= set(parts):
        raise ValueError(
            "an RRULE such as FREQ=WEEKLY;BYDAY=SA is expected, "
            f"by the day or more rarely, with COUNT or UNTIL or neither, of {', '.join(sorted(_PARTS))}"
        )
    return text.upper()


def _names(text: str) -> set[str]:
    return {part.partition("=")[0] for part in text.upper().split(";")}


Duration = Annotated[str, AfterValidator(_duration)]
Rule = Annotated[str, StringConstraints(max_length=500), AfterValidator(_rule)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


class PlannedWork(Table):
    """Work on a service, or on some of its gateways and classes alone: once, or again and again by an RRULE.

    Source: RFC 5545, 3.3.10, without what comes more often than by the day.
    """

    name: Annotated[Line, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    starts: WallTime
    ends: WallTime | None = None
    duration: Duration | None = None
    rrule: Rule | None = None
    time_zone: TimeZone = "UTC"
    gateways: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    asset_classes: Annotated[tuple[AssetClass, ...], Field(max_length=100)] = ()
    expected: Line = ""

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if (self.ends is None) == (self.duration is None):
            raise ValueError("one of ends and duration is expected")
        if self.rrule and (self.duration is None or self.starts.tzinfo):
            raise ValueError("a duration, and a start without an offset, are expected beside the rrule")
        if not timedelta() < self.length <= LONGEST:
            raise ValueError("a window that ends after it starts is expected, within a day")
        return self

    @model_validator(mode="after")
    def _comes_and_goes(self) -> Self:
        if self.rrule is None:
            return self
        try:
            found = list(islice(self.rule, _TRIED_COUNT))
        except (ValueError, TypeError, OverflowError):
            raise ValueError(f"an RRULE that can be read is expected, {self.rrule} is none") from None
        if any(before >= after for before, after in pairwise(found)):
            raise ValueError(f"an RRULE with an INTERVAL of 1 or more is expected, was {self.rrule}")
        if not found:
            raise ValueError(f"an RRULE that comes to pass is expected, {self.rrule} never does")
        if _longest_run(found, self.length) > LONGEST:
            raise ValueError("windows that end before the next one begins are expected, these go on for over a day")
        return self

    @property
    def length(self) -> timedelta:
        """Say how long each window is."""
        if self.duration is not None:
            return int(self.duration[:-1]) * _UNITS[self.duration[-1]]
        return self.moment(self.ends) - self.moment(self.starts) if self.ends else timedelta()

    @property
    def rule(self) -> "recurrence.rrule":
        """Give the rule, in times of the clock on the wall.

        Errors: `ValueError` where it cannot be read.
        """
        return _read(self.rrule or "", self.starts, self.time_zone)

    def moment(self, wall: datetime) -> datetime:
        """Give the moment of a time on the wall of this table."""
        return moment_of(wall, self.time_zone)


@lru_cache(maxsize=256)
def _read(text: str, starts: datetime, time_zone: str) -> "recurrence.rrule":
    from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415 - only where work is planned by a rule

    found = rrulestr(_UNTIL.sub(lambda at: _local(at[0], time_zone), text), dtstart=starts)
    assert isinstance(found, rrule)  # noqa: S101 - one rule alone, without dates beside it
    return found


def _local(until: str, time_zone: str) -> str:
    """Write the end of a rule, which RFC 5545 wants in UTC, by the clock on the wall, as its start is."""
    moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return f"{moment.astimezone(ZoneInfo(time_zone)):%Y%m%dT%H%M%S}"


def _longest_run(starts: list[datetime], length: timedelta) -> timedelta:
    """Say how long windows go on without a pause."""
    longest = run = length
    for before, after in pairwise(starts):
        run = run + (after - before) if after - before <= length else length
        longest = max(longest, run)
    return longest


def planned_fault(planned: Iterable[PlannedWork], gateways: Collection[str], classes: Collection[str]) -> str | None:
    """Name the first gateway or class of planned work that the service does not have: a slip holds nothing back."""
    for work in planned:
        for kind, named, known in (("gateway", work.gateways, gateways), ("asset class", work.asset_classes, classes)):
            unknown = next((one for one in named if known and one not in known), None)
            if unknown:
                return f"planned {work.name!r}: expected a {kind} of {', '.join(sorted(known))}, was {unknown}"
    return None
