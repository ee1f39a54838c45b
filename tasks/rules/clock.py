"""Compare clocks: ours with the one that wrote an answer's `Date`."""

from datetime import datetime
from email.utils import parsedate_to_datetime

from tasks.model.looks import Exchange


def clock_skew_s(exchange: Exchange, now: datetime) -> float | None:
    """Say how far the answering clock is ahead of ours, by the nearest end of the second that `Date` names.

    Runbook: §1.2 Quick health checks.
    Units: seconds; 0 where the `Date` lies within the time that the answer took.
    Source: RFC 9110, 6.6.1 Date.
    """
    named = next((value for name, value in exchange.headers if name.lower() == "date"), None)
    if named is None:
        return None
    try:
        ahead_s = (parsedate_to_datetime(named) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    # The answer was written at some moment between the request and now, in the second that begins at its Date.
    least_s, most_s = ahead_s, ahead_s + 1.0 + exchange.seconds_s
    if least_s <= 0 <= most_s:
        return 0.0
    return round(least_s if least_s > 0 else most_s, 3)
