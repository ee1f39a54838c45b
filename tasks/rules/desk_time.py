"""Write a time as the desk reads it: UTC first, then its own clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from tasks.rules.times import utc_text

UTC_NAME = "UTC"


def desk_time(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write a time in UTC, and in the desk's time zone where that is another."""
    local = _local(moment, time_zone)
    return f"{utc_text(moment)} ({local:%Y-%m-%d %H:%M:%S %Z}, {time_zone})" if local else utc_text(moment)


def desk_clock(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write the time of day alone, in UTC and on the desk's clock."""
    utc, local = f"{utc_text(moment)[11:19]}Z", _local(moment, time_zone)
    return f"{utc} ({local:%H:%M:%S %Z})" if local else utc


def _local(moment: datetime, time_zone: str) -> datetime | None:
    if time_zone == UTC_NAME:
        return None
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except OverflowError:
        # A ledger may tell of the year 1 or 9999, which not every clock reaches.
        return None
