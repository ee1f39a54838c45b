"""Read a time in the forms that logs and ledgers use; aware UTC out."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TypeGuard
from zoneinfo import ZoneInfo

# An epoch number is read by its size: in each unit the years 2000 to 2262 are a range of their own.
_FIRST_S, _LAST_S = 946_684_800, 9_223_372_036
_UNITS = tuple(Decimal(per_second) for per_second in (1, 10**3, 10**6, 10**9))
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# What is before the epoch, or at its first second, is how programs write that there is no time (Go: the year 1).
_NO_TIME_UNTIL = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_LIMIT_COUNT = 80
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}

_CLOCK = r"(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?"
# The name of a zone says nothing of its own (CST is three of them); Go writes one after the offset.
_ZONE = (
    r"(?: ?(?P<offset>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)(?: (?:[A-Z]{3,5}|[+-]\d{2,4}))?)?"
    r"(?: m=[+-][0-9.]{1,20})?(?:\[(?P<place>[A-Za-z0-9_+/-]{1,40})\])?"
)
_DIGITS = r"(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?P<fraction>\d{3})?"
_C_YEAR = r"(?: UTC| GMT)? (?P<year>\d{4})"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d{{2}})(?P=mark)(?P<day>\d{{2}})(?:[Tt ]{_CLOCK}{_ZONE})?",
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}})(?:[Tt -]{_CLOCK}{_ZONE})?",
        rf"(?P<year>\d{{4}})-?W(?P<week>\d{{2}})-?(?P<weekday>[1-7])(?:[Tt ]{_CLOCK}{_ZONE})?",
        rf"(?P<year>\d{{4}})-(?P<ordinal>\d{{3}})(?:[Tt ]{_CLOCK}{_ZONE})?",
        rf"(?P<day>\d{{2}})/(?P<name>[A-Z][a-z]{{2}})/(?P<year>\d{{4}}):{_CLOCK}{_ZONE}",
        rf"(?:[A-Z][a-z]{{2}}, )?(?P<day>\d{{1,2}}) (?P<name>[A-Z][a-z]{{2}}) (?P<year>\d{{4}}) {_CLOCK}{_ZONE}",
        rf"(?:[A-Z][a-z]{{2}} )?(?P<name>[A-Z][a-z]{{2}}) {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}{_C_YEAR}",
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_DIGITS}",
    )
)
_NUMBER = re.compile(r"\d{1,20}(?:[.,]\d{1,12})?(?:[eE]\+?\d{1,2})?", re.ASCII)


def parse_time(value: object) -> datetime | None:
    """Read RFC 3339 text, the usual other written forms, or an epoch number by its size; None for anything else.

    A time without an offset is taken as UTC, the leap second as the second after it. `{"$date": …}` of MongoDB and
    `{"seconds": …, "nanos": …}` of protobuf are read, too.
    Errors: none. The year 1 of Go, zero, and the year 1796 are no time; neither are forms that two countries read
    differently, or that leave the year out.
    """
    match value:
        case bool():
            return None
        case int() | float():
            return _from_number(_decimal(repr(value)))
        case str():
            return _from_text(value.strip())
        case dict():
            return _from_table(value)
        case _:
            return None


def utc_text(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_text(moment: datetime) -> str:
    """Write the time of day in UTC, with seconds and a Z."""
    return f"{utc_text(moment)[11:19]}Z"


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Move a time, no further than times go: a ledger may tell of the year 1 or 9999."""
    try:
        return moment + by
    except OverflowError:
        return FIRST if by < timedelta(0) else LAST


def _decimal(text: str) -> Decimal | None:
    return Decimal(text.replace(",", ".")) if len(text) <= TEXT_LIMIT_COUNT and _NUMBER.fullmatch(text) else None


def _from_number(number: Decimal | None) -> datetime | None:
    if number is None:
        return None
    per_second = next((unit for unit in _UNITS if _FIRST_S * unit <= number <= _LAST_S * unit), None)
    if per_second is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number * 1_000_000 / per_second))


def _from_table(table: dict[object, object]) -> datetime | None:
    match table:
        case {"$date": {"$numberLong": str() | int() as number}} | {"$date": str() | int() | float() as number}:
            return parse_time(number)
        case {"seconds": int() | str() as seconds}:
            nanos = table.get("nanos")
            whole = parse_time(seconds)
            return whole + timedelta(microseconds=nanos // 1000) if whole and _is_nanos(nanos) else whole
        case _:
            return None


def _is_nanos(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 <= value < 10**9


def _from_text(text: str) -> datetime | None:
    """Read digits as an epoch number first: a date that they could be as well lies in another century."""
    if not text or len(text) > TEXT_LIMIT_COUNT:
        return None
    if moment := _from_number(_decimal(text)):
        return moment
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _built(found.groupdict())
    return None


def _built(part: dict[str, str | None]) -> datetime | None:
    try:
        hour, minute, second = (int(part.get(name) or 0) for name in ("hour", "minute", "second"))
        if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second):
            return None
        day = _day(part)
        clock = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=_microseconds(part.get("fraction")))
        zone = _zone(part.get("offset"), part.get("place"))
        moment = (datetime(day.year, day.month, day.day, tzinfo=zone) + clock).astimezone(UTC)
    except (ValueError, OverflowError, OSError, KeyError):
        return None
    return moment if moment > _NO_TIME_UNTIL else None


def _day(part: dict[str, str | None]) -> date:
    year = int(part["year"] or 0)
    if week := part.get("week"):
        return date.fromisocalendar(year, int(week), int(part["weekday"] or 0))
    if ordinal := part.get("ordinal"):
        day = date(year, 1, 1) + timedelta(days=int(ordinal) - 1)
        if day.year != year:
            raise ValueError(ordinal)
        return day
    name = part.get("name")
    month = _MONTHS.get(name.lower(), 0) if name else int(part["month"] or 0)
    return date(year, month, int(part["day"] or 0))


def _microseconds(fraction: str | None) -> int:
    return int(((fraction or "") + "000000")[:6])


def _zone(offset: str | None, place: str | None) -> tzinfo:
    """Take the offset; a named place decides only where there is none."""
    if offset is None and place is not None:
        return UTC if place in {"UTC", "Z", "GMT"} else ZoneInfo(place)
    if offset is None or offset[0] not in "+-":
        return UTC
    digits = offset[1:].replace(":", "").ljust(6, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
    return timezone(size if offset[0] == "+" else -size)


_WRITTEN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration_s(text: str) -> int | None:
    """Read 45s, 30m, 2h or 1d as seconds; None for anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    return int(found["count"]) * _UNITS_S[found["unit"]] if found else None


def duration_text(seconds_s: float) -> str:
    """Write a duration for a person: seconds below two minutes, minutes below two hours, then hours."""
    if seconds_s < 120:
        return f"{max(0.0, seconds_s):.0f} s"
    if seconds_s < 7200:
        return f"{seconds_s / 60:.0f} min"
    return f"{seconds_s / 3600:.1f} h"
