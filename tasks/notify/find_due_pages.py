"""§3 Escalation matrix: who must be notified now, by the ledger's timers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import current_mode
from tasks.clients.locks.host_lock import holder_of
from tasks.clients.market.hours import markets_at
from tasks.clients.messages.outbox import Outbox
from tasks.model.errors import CannotObserve
from tasks.model.incidents.escalation import MarketClock, PageClock, PageWords
from tasks.model.incidents.incident import IncidentState, LedgerRecord
from tasks.model.messages.messages import Message
from tasks.rules.escalation.timers import due_pages, is_acknowledged, page_interval_s
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.maintenance_windows import (
    maintenance_at,
    maintenance_ended_at,
    planned_at,
    planned_ended_at,
)
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.messages.page import page_message
from tasks.rules.messages.recovered import all_recoveries
from tasks.settings import RunbookSettings, load_settings


@task(name="find_due_pages", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def find_due_pages(service: str) -> tuple[Message, ...]:
    """Find who must be notified now: recoveries that are owed, pages that nobody took, pages that did not arrive.

    Runbook: §3.1, §3.2, §3.3 Escalation matrix.
    Errors: none; a ledger that cannot be read holds no timer, and the report says so.
    """
    return messages_due(load_settings(), service, datetime.now(UTC))


def messages_due(settings: RunbookSettings, service: str, now: datetime) -> tuple[Message, ...]:
    """Fold the ledger again, so that what was told a moment ago, or acknowledged, counts."""
    try:
        ledger = read_ledger(settings.ledger(service))
    except CannotObserve:
        return ()
    words = PageWords(mode=current_mode(settings), time_zone=settings.desk_time_zone)
    incidents = fold_incidents(ledger, service)
    owed = all_recoveries(incidents, words, now)
    limits = settings.service(service).escalation
    planned = settings.service(service).planned
    held = planned_at(ledger.records, service, now, planned)
    waiting = [
        one for one in incidents if one.is_open and not is_acknowledged(one, limits, now) and not is_planned(one, held)
    ]
    if not waiting or maintenance_at(ledger.records, service, now, planned):
        return owed
    clock_of = _clocks(settings, service, ledger.records, now)
    pages = ((one, page) for one in waiting for page in due_pages(one, clock_of(one), limits))
    return (*owed, *(page_message(incident, page, words) for incident, page in pages))


def _clocks(
    settings: RunbookSettings, service: str, records: tuple[LedgerRecord, ...], now: datetime
) -> Callable[[IncidentState], PageClock]:
    """Read the markets once, and give each incident the clock of its own asset classes."""
    watched = settings.service(service)
    before = now - timedelta(seconds=watched.escalation.near_s)
    markets = MarketClock(now=markets_at(watched, now), before=markets_at(watched, before))
    acting = holder_of(settings.state_dir, service) is not None
    queued = {one.message.key: one.queued_at for one in Outbox(settings.state_dir).waiting() if not one.delivered_by}

    over = maintenance_ended_at(records, service, now, watched.planned)

    def clock_of(incident: IncidentState) -> PageClock:
        ends = (over, planned_ended_at(incident, records, now, watched.planned))
        quiet_until = max((at for at in ends if at), default=None)
        every_s = page_interval_s(markets, incident.asset_classes, watched.escalation, now)
        return PageClock(now=now, every_s=every_s, quiet_until=quiet_until, acting=acting, queued_at=queued)

    return clock_of
