"""The one spelling of time that leaves this service."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the present moment, aware."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
