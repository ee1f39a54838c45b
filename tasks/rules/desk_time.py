"""Write a time as the desk reads it: UTC first, then its own clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from tasks.rules.times import utc_text

UTC_NAME = "UTC"


def desk_time(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write a time in UTC, and in the desk's time zone where that is another."""
    if time_zone == UTC_NAME:
        return utc_text(moment)
    return f"{utc_text(moment)} ({moment.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M:%S %Z}, {time_zone})"


def desk_clock(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write the time of day alone, in UTC and on the desk's clock."""
    utc = f"{utc_text(moment)[11:19]}Z"
    if time_zone == UTC_NAME:
        return utc
    return f"{utc} ({moment.astimezone(ZoneInfo(time_zone)):%H:%M:%S %Z})"
