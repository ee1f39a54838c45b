"""Read the time of a log line in the usual written forms; aware UTC out."""

import re
from datetime import UTC, datetime, timedelta

from tasks.rules.times import parse_time

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
    r"(Z|UTC|GMT|[+-]\d\d:?\d\d(?!\d))?",
    re.ASCII,
)
_BASIC = re.compile(
    r"(?<!\d)(\d{4})(\d\d)(\d\d)[T -](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_COMMON_LOG = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d+))? ?([+-]\d{4})?", re.ASCII)
_C_TIME = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (\d{4})\b)?", re.ASCII
)
_KLOG = re.compile(r"[IWEF](\d{4})?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?", re.ASCII)
_LOGCAT = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+)", re.ASCII)
_TORNADO = re.compile(r"\[[A-Z] (\d\d)(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_JAVA_UTIL = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) (\d{1,2}):(\d\d):(\d\d) ([AP]M)", re.ASCII)
_EPOCH = re.compile(r"(?:^|[\s\[=])(1\d{9}(?:\.\d{1,9})?|1\d{12}|1\d{18})(?=[\s\],:]|$)", re.ASCII)


def time_of(line: str, now: datetime) -> datetime | None:
    """Read the first time in the head of a line; None when there is none.

    A time without an offset is UTC. A time without a year is the latest such time that is not after `now`.
    Errors: none; an impossible date is no time.
    """
    head = line[:HEAD_CHARACTERS]
    for pattern, order in _FORMS:
        if (found := pattern.search(head)) and (moment := _build(dict(zip(order, found.groups(), strict=True)), now)):
            return moment
    found = _EPOCH.search(head)
    return parse_time(float(found[1]) if "." in found[1] else int(found[1])) if found else None


def time_of_value(value: object, now: datetime) -> datetime | None:
    """Read a time that stands alone: RFC 3339, an epoch number, or any written form."""
    moment = parse_time(value)
    return moment if moment or not isinstance(value, str) else time_of(value, now)


_FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_ISO, ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")),
    (_COMMON_LOG, ("day", "name", "year", "hour", "minute", "second", "fraction", "offset")),
    (_JAVA_UTIL, ("name", "day", "year", "hour", "minute", "second", "half")),
    (_C_TIME, ("name", "day", "hour", "minute", "second", "fraction", "year")),
    (_KLOG, ("year", "month", "day", "hour", "minute", "second", "fraction")),
    (_LOGCAT, ("month", "day", "hour", "minute", "second", "fraction")),
    (_TORNADO, ("short_year", "month", "day", "hour", "minute", "second")),
    (_BASIC, ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")),
)


def _build(part: dict[str, str | None], now: datetime) -> datetime | None:
    month = _MONTHS.get((part.get("name") or "").lower()) or int(part.get("month") or 0)
    microsecond = int(((part.get("fraction") or "0") + "000000")[:6])
    try:
        clock = (int(part["hour"] or 0), int(part["minute"] or 0), min(int(part["second"] or 0), 59), microsecond)
        year = _year(part) or now.year
        moment = datetime(year, month, int(part["day"] or 0), *clock, tzinfo=UTC)
        if not _year(part) and moment > now + timedelta(days=1):
            moment = moment.replace(year=year - 1)
        return _half_day(moment, part.get("half")) - _offset(part.get("offset"))
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


def _offset(text: str | None) -> timedelta:
    if not text or text[0] not in "+-":
        return timedelta(0)
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return size if text[0] == "+" else -size
