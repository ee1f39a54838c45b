"""Read a time in the forms that logs and ledgers use; aware UTC out."""

import math
from datetime import UTC, datetime, timedelta

# Epoch numbers above these are milliseconds, microseconds and nanoseconds: seconds would lie past the year 5000.
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def parse_time(value: object) -> datetime | None:
    """Read RFC 3339 text or an epoch number (seconds, milli-, micro- or nanoseconds); None for anything else.

    A time without an offset is taken as UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_epoch(float(value))
    if isinstance(value, str):
        return _from_text(value.strip())
    return None


def utc_text(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Move a time, no further than times go: a ledger may tell of the year 1 or 9999."""
    try:
        return moment + by
    except OverflowError:
        return FIRST if by < timedelta(0) else LAST


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number) or number <= 0:
        return None
    scale = next((divisor for above, divisor in _SCALES if number > above), 1.0)
    try:
        return datetime.fromtimestamp(number / scale, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _from_text(text: str) -> datetime | None:
    if not 8 <= len(text) <= 40:
        return _from_number_text(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _from_number_text(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _from_number_text(text: str) -> datetime | None:
    try:
        return _from_epoch(float(text)) if text[:1].isdigit() and len(text) <= 40 else None
    except ValueError:
        return None
