"""How long a page may stay unanswered: less while the market is open, least around its opening and close."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.model.escalation import MarketClock
from tasks.model.limits import EscalationLimits
from tasks.model.market import MarketHours
from tasks.model.orders import AssetClass


def page_interval_s(
    markets: MarketClock, classes: Sequence[AssetClass], limits: EscalationLimits, now: datetime
) -> float:
    """Say how many seconds lie between two pages of an incident of these asset classes; without classes, of all.

    Runbook: §1.1 Is trading live; if so, escalate faster.
    Errors: none. Where no calendar can say, the market counts as open.
    """
    hours = [one for one in markets.now if not classes or one.asset_class in classes]
    was_open = {one.asset_class: one.open for one in markets.before}
    if not hours:
        return limits.open_every_s
    if any(_is_near(one, was_open.get(one.asset_class, one.open), limits, now) for one in hours):
        return min(limits.near_every_s, limits.open_every_s)
    return limits.open_every_s if any(one.open for one in hours) else limits.closed_every_s


def _is_near(hours: MarketHours, was_open: bool, limits: EscalationLimits, now: datetime) -> bool:
    """Say whether a market opens or closes soon, or has just done so."""
    changes_at = hours.next_close if hours.open else hours.next_open
    soon = changes_at is not None and changes_at - now <= timedelta(seconds=limits.near_s)
    return soon or was_open != hours.open
