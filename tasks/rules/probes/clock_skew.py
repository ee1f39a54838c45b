"""Compare clocks: ours with the one that wrote an answer's `Date`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from tasks.model.errors import Code
from tasks.model.probes.probes import Exchange
from tasks.rules.formats.time import utc_text

# Both clocks may be a little off, and an answer takes its time.
DOUBTED = timedelta(seconds=60)
LEDGER = "the ledger's newest entry"


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


def clock_doubt(now: datetime, others: Mapping[str, datetime | None]) -> str | None:
    """Say that our clock is off, where a person is about to set a time by it; None where nothing speaks against it.

    `others` are what other clocks say, by their names; the ledger's newest entry can only be too new.
    Units: differences below `DOUBTED` say nothing.
    """
    known = {name: at - now for name, at in others.items() if at is not None}
    off = {name: ahead for name, ahead in known.items() if ahead > DOUBTED or (ahead < -DOUBTED and name != LEDGER)}
    if not off:
        return None
    name, ahead = max(off.items(), key=lambda one: abs(one[1]))
    way, ends = ("behind", "early") if ahead > timedelta() else ("ahead of", "late")
    seconds = round(abs(ahead.total_seconds()))
    return (
        f"{Code.CLOCK_DIFFERS}: expected this machine's clock ({utc_text(now)}) to agree with {name} "
        f"({utc_text(now + ahead)}) was {seconds} s {way} it; every time set here ends {seconds} s too {ends}: "
        "set the clock right, then give the command again"
    )
