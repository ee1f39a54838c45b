"""The timers of §3: who must be paged now, from the ledger's state and the clock alone.

An acknowledgement holds for a bounded time. Pages come more often while the market is open, most often around its
opening and close.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import MarketClock, Page, PageClock, PageReason
from tasks.model.incidents.incident import IncidentState, Outcome
from tasks.model.market.market import MarketHours
from tasks.model.probes.orders import AssetClass
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tasks.rules.incidents.message_keys import (
    AGAIN,
    EXHAUSTED,
    OPENED,
    UNACKNOWLEDGED,
    UNDELIVERED,
    about_of,
    audience_of,
    message_key,
)
from tasks.rules.incidents.tiers import tier_of, tiers_above


def due_pages(incident: IncidentState, clock: PageClock, limits: EscalationLimits) -> tuple[Page, ...]:
    """Say which tiers must be paged now; none while a person has the incident, or when its trouble is over.

    Runbook: §3 Escalation matrix.
    What is over and stays open, because something is still in force, has reminders of its own.
    Errors: none. A time that lies in the future is none that a timer waits for: it counts as long past.
    Steps:
        1. the tier in charge was never reached: page it, and above it when that takes too long
        2. the automation is at its end: up at once
        3. an acknowledgement ran out: page again
        4. not acknowledged: page again, then the next tier
    """
    if not incident.is_open or incident.recovered_at or is_acknowledged(incident, limits, clock.now):
        return ()
    tier = tier_of(incident.tier)
    if tier not in incident.paged_at:
        return _never_told(incident, tier, clock, limits)
    pages = _by_time(incident, tier, clock, limits)
    if tier is Audience.TIER_1 and at_its_end(incident, acting=clock.acting):
        others = (one for one in pages if one.audience is not Audience.TIER_2)
        return (_page(Audience.TIER_2, PageReason.EXHAUSTED, EXHAUSTED, 0.0, tier), *others)
    return pages


def at_its_end(incident: IncidentState, *, acting: bool) -> bool:
    """Say whether the automation can do no more: what it did last did not help, or nobody knows how it ended."""
    proven = (Outcome.RECOVERED, Outcome.NOT_RECOVERED, Outcome.UNKNOWN)
    tried = [one for one in incident.actions if not one.settled and (not one.finished_at or one.outcome in proven)]
    return bool(tried) and not acting and tried[-1].outcome != Outcome.RECOVERED


def _by_time(incident: IncidentState, tier: Audience, clock: PageClock, limits: EscalationLimits) -> tuple[Page, ...]:
    until = acknowledged_until(incident, limits, clock.now)
    if until is not None and incident.paged_at[tier] < until <= clock.now:
        waited_s = (clock.now - until).total_seconds()
        return (_again(incident, tier, PageReason.ACKNOWLEDGEMENT_OVER, waited_s),)
    return _unacknowledged(incident, tier, clock, limits)


def _never_told(
    incident: IncidentState, tier: Audience, clock: PageClock, limits: EscalationLimits
) -> tuple[Page, ...]:
    first = _page(tier, PageReason.NOT_TOLD, OPENED, 0.0, tier)
    return (first, *_above(incident, first, clock, limits))


def _unacknowledged(
    incident: IncidentState, tier: Audience, clock: PageClock, limits: EscalationLimits
) -> tuple[Page, ...]:
    waited_s = _waited_s(incident.paged_at[tier], clock)
    if not tiers_above(tier):
        return _last_tier(incident, tier, clock, limits)
    if not math.isfinite(waited_s):
        return (_again(incident, tier, PageReason.NOT_ACKNOWLEDGED, clock.every_s),)
    left = limits.reminders_count - incident.reminders
    # Reminders that were due without effect, because no run came or none was delivered, do not hold the next tier up.
    if waited_s >= clock.every_s * (max(left, 0) + 1):
        since_first_s = max(waited_s, _unanswered_s(incident, tier, clock, limits))
        above = _page(tiers_above(tier)[0], PageReason.NEXT_TIER, UNACKNOWLEDGED, since_first_s, tier)
        return (above, *_above(incident, above, clock, limits))
    if waited_s >= clock.every_s:
        return (_again(incident, tier, PageReason.NOT_ACKNOWLEDGED, waited_s),)
    return ()


def _last_tier(incident: IncidentState, tier: Audience, clock: PageClock, limits: EscalationLimits) -> tuple[Page, ...]:
    waited_s, wait_s = _waited_s(incident.paged_at[tier], clock), clock.every_s * 2**incident.reminders
    if incident.reminders >= limits.last_reminders_count or waited_s < wait_s:
        return ()
    told_s = waited_s if math.isfinite(waited_s) else wait_s
    return (_again(incident, tier, PageReason.NOT_ACKNOWLEDGED, told_s),)


def _above(incident: IncidentState, page: Page, clock: PageClock, limits: EscalationLimits) -> tuple[Page, ...]:
    """Go up where a page was sent and does not arrive: one tier for each time that it has taken too long."""
    queued_at = clock.queued_at.get(message_key(incident, page.audience, page.about), clock.now)
    waited_s = max(0.0, (clock.now - queued_at).total_seconds())
    above = tiers_above(page.audience)[: math.floor(waited_s / limits.undelivered_after_s)]
    return tuple(_page(one, PageReason.UNDELIVERED, UNDELIVERED, waited_s, page.audience) for one in above)


def _again(incident: IncidentState, tier: Audience, reason: PageReason, waited_s: float) -> Page:
    ours = [key for key in incident.told if audience_of(key, incident.incident_id) == tier]
    count = sum(about_of(key, incident.incident_id) == AGAIN for key in ours)
    return _page(tier, reason, f"{AGAIN}-{count + 1}", waited_s, tier)


def _unanswered_s(incident: IncidentState, tier: Audience, clock: PageClock, limits: EscalationLimits) -> float:
    """Say for how long a tier has not answered, since its first page or since somebody last had it."""
    called = (incident.escalated_at.get(tier), incident.reopened_at, clock.quiet_until)
    since = (*called, acknowledged_until(incident, limits, clock.now))
    return (clock.now - max((at for at in since if at and at <= clock.now), default=clock.now)).total_seconds()


def _waited_s(since: datetime, clock: PageClock) -> float:
    """Say how long something has waited; endless where its time lies in the future, which no clock of ours wrote."""
    if since > clock.now + CLOCK_SLACK:
        return math.inf
    base = max(since, clock.quiet_until) if clock.quiet_until else since
    return (clock.now - base).total_seconds()


def _page(audience: Audience, reason: PageReason, about: str, waited_s: float, from_tier: Audience) -> Page:
    return Page(audience=audience, reason=reason, about=about, waited_s=waited_s, from_tier=from_tier)


def is_acknowledged(incident: IncidentState, limits: EscalationLimits, now: datetime) -> bool:
    """Say whether a person has the incident now.

    Runbook: §3 Escalation matrix.
    Errors: none. A word from the future is none; whatever it says of its end, it holds no longer than the limit.
    """
    until = acknowledged_until(incident, limits, now)
    return until is not None and now < until


def acknowledged_until(incident: IncidentState, limits: EscalationLimits, now: datetime) -> datetime | None:
    """Say until when the last acknowledgement holds or held, if there was one."""
    taken_at = incident.acknowledged_at
    if taken_at is None or taken_at > now + CLOCK_SLACK:
        return None
    wanted = incident.acknowledged_until or taken_at + timedelta(seconds=limits.acknowledged_s)
    return min(wanted, taken_at + timedelta(seconds=limits.acknowledged_longest_s))


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
