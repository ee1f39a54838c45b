"""§3 Escalation matrix: who must be told now, by the ledger's timers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.markets import markets_at
from tasks.clients.mode_switch import current_mode
from tasks.clients.outbox import Outbox
from tasks.clients.service_lock import holder_of
from tasks.model.errors import CannotLook
from tasks.model.escalation import MarketClock, PageClock, PageWords
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.rules.acknowledgement import is_acknowledged
from tasks.rules.escalation import due_pages
from tasks.rules.escalation_interval import page_interval_s
from tasks.rules.escalation_messages import page_message
from tasks.rules.incident_state import fold_incidents
from tasks.rules.maintenance import maintenance_at, maintenance_ended_at
from tasks.rules.recovery_messages import recovery_messages
from tasks.settings import RunbookSettings, load_settings


@task(name="find_due_pages", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
def find_due_pages(service: str) -> tuple[Message, ...]:
    """Find who must be told now: recoveries that are owed, pages that nobody took, pages that did not arrive.

    Runbook: §3.1, §3.2, §3.3 Escalation matrix.
    Errors: none; a ledger that cannot be read holds no timer, and the report says so.
    """
    return messages_due(load_settings(), service, datetime.now(UTC))


def messages_due(settings: RunbookSettings, service: str, now: datetime) -> tuple[Message, ...]:
    """Fold the ledger anew, so that what was told a moment ago, or acknowledged, counts."""
    try:
        ledger = read_ledger(settings.ledger(service))
    except CannotLook:
        return ()
    words = PageWords(mode=current_mode(settings), time_zone=settings.desk_time_zone)
    incidents = fold_incidents(ledger, service)
    owed = tuple(message for one in incidents for message in recovery_messages(one, words, now, incidents))
    limits = settings.service(service).escalation
    waiting = [one for one in incidents if one.is_open and not is_acknowledged(one, limits, now)]
    if not waiting or maintenance_at(ledger.records, service, now):
        return owed
    clock_of = _clocks(settings, service, maintenance_ended_at(ledger.records, service, now), now)
    pages = ((one, page) for one in waiting for page in due_pages(one, clock_of(one), limits))
    return (*owed, *(page_message(incident, page, words) for incident, page in pages))


def _clocks(
    settings: RunbookSettings, service: str, quiet_until: datetime | None, now: datetime
) -> Callable[[IncidentState], PageClock]:
    """Read the markets once, and give each incident the clock of its own asset classes."""
    watched = settings.service(service)
    before = now - timedelta(seconds=watched.escalation.near_s)
    markets = MarketClock(now=markets_at(watched, now), before=markets_at(watched, before))
    acting = holder_of(settings.state_dir, service) is not None
    queued = {one.message.key: one.queued_at for one in Outbox(settings.state_dir).waiting() if not one.delivered_by}

    def clock_of(incident: IncidentState) -> PageClock:
        every_s = page_interval_s(markets, incident.asset_classes, watched.escalation, now)
        return PageClock(now=now, every_s=every_s, quiet_until=quiet_until, acting=acting, queued_at=queued)

    return clock_of
