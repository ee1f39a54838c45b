"""The one spelling of time that leaves this service: RFC 3339 in UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def rfc3339(moment: datetime, timespec: str = "microseconds") -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def now_text(timespec: str = "milliseconds") -> str:
    return rfc3339(utc_now(), timespec)
