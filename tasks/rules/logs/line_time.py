"""Read the time of a log line in the usual written forms; aware UTC out."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from tasks.rules.formats.time import parse_time

# The time stands in the head of the line; a time further right is part of the message.
HEAD_CHARACTERS = 120
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}

_ISO = re.compile(
    r"(?<!\d)(\d{4})[-/.](\d\d)[-/.](\d\d)[T _-](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\d* ?"
    r"(Z|UTC|GMT|[+-]\d\d:?\d\d(?!\d)|[A-Z]{2,3}T\b|MSK\b)?",
    re.ASCII,
)
_BASIC = re.compile(
    r"(?<!\d)(\d{4})(\d\d)(\d\d)[T -](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
# Apache's, Tomcat's (27-Nov-2026 14:00:00.123) and log4j's DATE (27 Nov 2026 14:00:00,123).
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d\d)[/ -]([A-Z][a-z]{2})[/ -](\d{4})[: ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r" ?(Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_C_TIME = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (\d{4})\b)?", re.ASCII
)
_KLOG = re.compile(r"[IWEF](\d{4})?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?", re.ASCII)
_LOGCAT = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+)", re.ASCII)
_TORNADO = re.compile(r"\[[A-Z] (\d\d)(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_JAVA_UTIL = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) (\d{1,2}):(\d\d):(\d\d) ([AP]M)", re.ASCII)
_EXACT = re.compile(r"(?:Z|UTC|GMT|:\d\d(?:[.,]\d+)? ?[+-]\d\d:?\d\d|\])$|^\d{10,19}(?:\.\d+)?$", re.ASCII)
# The names of zones that mean one offset alone; CST and IST are three each.
_NAMED_H = {
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "BST": 1, "EST": -5, "EDT": -4, "CDT": -5,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AEST": 10, "AEDT": 11,
}  # fmt: skip
_EPOCH = re.compile(r"(?:^|[\s\[=])(1\d{9}(?:\.\d{1,9})?|1\d{12}|1\d{18})(?=[\s\],:]|$)", re.ASCII)


def time_of(line: str, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Read the first time in the head of a line; None when there is none.

    A time without an offset is in `zone`. A time without a year is the latest such time that is not after `now`.
    Errors: none; an impossible date is no time.
    """
    head = line[:HEAD_CHARACTERS]
    for pattern, order in _FORMS:
        if found := pattern.search(head):
            moment = _build(dict(zip(order, found.groups(), strict=True)), now, zone)
            if moment:
                return moment
    found = _EPOCH.search(head)
    return parse_time(float(found[1]) if "." in found[1] else int(found[1])) if found else None


def time_of_value(value: object, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Read a time that stands alone: RFC 3339, an epoch number, or any written form."""
    moment = parse_time(value)
    if isinstance(value, str) and moment is None:
        return time_of(value, now, zone)
    if moment and isinstance(value, str) and zone is not UTC and not is_exact(value):
        return _in_zone(moment, zone)
    return moment


def is_exact(value: object) -> bool:
    """Say whether a time has its offset, or is a count since the epoch."""
    return isinstance(value, int | float) or (isinstance(value, str) and bool(_EXACT.search(value[-40:])))


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


_FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_ISO, ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")),
    (_DAY_FIRST, ("day", "name", "year", "hour", "minute", "second", "fraction", "offset")),
    (_JAVA_UTIL, ("name", "day", "year", "hour", "minute", "second", "half")),
    (_C_TIME, ("name", "day", "hour", "minute", "second", "fraction", "year")),
    (_KLOG, ("year", "month", "day", "hour", "minute", "second", "fraction")),
    (_LOGCAT, ("month", "day", "hour", "minute", "second", "fraction")),
    (_TORNADO, ("short_year", "month", "day", "hour", "minute", "second")),
    (_BASIC, ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")),
)


def _build(part: dict[str, str | None], now: datetime, zone: tzinfo) -> datetime | None:
    month = _MONTHS.get((part.get("name") or "").lower()) or int(part.get("month") or 0)
    microsecond = int(((part.get("fraction") or "0") + "000000")[:6])
    try:
        clock = (int(part["hour"] or 0), int(part["minute"] or 0), min(int(part["second"] or 0), 59), microsecond)
        year = _year(part) or now.year
        moment = datetime(year, month, int(part["day"] or 0), *clock, tzinfo=UTC)
        if not _year(part) and moment > now + timedelta(days=1):
            moment = moment.replace(year=year - 1)
        moment = _half_day(moment, part.get("half"))
        offset = _offset(part.get("offset"))
        return _in_zone(moment, zone) if offset is None else moment - offset
    except (ValueError, OverflowError):
        return None


def _year(part: dict[str, str | None]) -> int | None:
    if part.get("short_year"):
        return 2000 + int(part["short_year"] or 0)
    return int(part["year"] or 0) if part.get("year") else None


def _half_day(moment: datetime, half: str | None) -> datetime:
    if half is None:
        return moment
    return moment.replace(hour=moment.hour % 12 + (12 if half == "PM" else 0))


def _offset(text: str | None) -> timedelta | None:
    """Read an offset or the name of a zone; None where the line leaves it to its host."""
    if not text:
        return None
    if text[0] not in "+-":
        return timedelta(0) if text in ("Z", "UTC", "GMT") else _named_offset(text)
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return size if text[0] == "+" else -size


def _named_offset(name: str) -> timedelta | None:
    hours = _NAMED_H.get(name)
    return None if hours is None else timedelta(hours=hours)
