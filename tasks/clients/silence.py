"""Look at the watch itself: when a triage last looked at a service, and whether one is at work on it now."""

from datetime import datetime, timedelta

from tasks.clients.incident_ledger import read_ledger, transact
from tasks.clients.look_history import history_path, recall_looks
from tasks.clients.mode_switch import current_mode
from tasks.clients.service_lock import holder_of
from tasks.model.errors import RunbookError
from tasks.model.incident import IncidentState, LedgerRecord
from tasks.model.messages import Message
from tasks.rules.incident_state import open_incidents
from tasks.rules.silence import (
    SILENT_AFTER,
    Silence,
    last_sign_at,
    silence_incident,
    silence_messages,
    silence_of,
    silence_records,
)
from tasks.settings import RunbookSettings

# A service that no triage has looked at for longer is none that is watched by the minute.
LOOKED_WITHIN = timedelta(days=2)


def silence_recorded(
    settings: RunbookSettings, service: str, now: datetime, watching_since: datetime | None = None
) -> tuple[Message, ...]:
    """Judge the silence from the history and the ledger, and open its incident."""
    found = silence_now(settings, service, now, watching_since)
    if found is None or not found.silent:
        return ()
    incident = _recorded(settings, service, found, now)
    return silence_messages(incident, found, current_mode(settings))


def silence_now(
    settings: RunbookSettings, service: str, now: datetime, watching_since: datetime | None = None
) -> Silence | None:
    """Judge the silence; None where no triage looks at the service at all."""
    looks = [look.at for look in recall_looks(history_path(settings, service), now, LOOKED_WITHIN)]
    if not looks:
        return None
    # The ledger is read only where the looks alone do not show that all is well.
    records = _records(settings, service) if now - max(looks) >= SILENT_AFTER else ()
    return silence_of(
        last_sign_at(looks, records, service, now),
        now,
        acting=holder_of(settings.state_dir, service) is not None,
        approval_timeout_s=settings.approval_timeout_s,
        watching_since=watching_since,
    )


def _recorded(settings: RunbookSettings, service: str, found: Silence, now: datetime) -> IncidentState:
    path = settings.ledger_path(service)
    try:
        transact(path, lambda ledger: silence_records(ledger.records, service, found, now))
        known = open_incidents(read_ledger(path).records, service)
    except RunbookError:
        known = ()
    blind = silence_incident(service, found)
    return next((one for one in known if set(blind.causes) & set(one.causes)), blind)


def _records(settings: RunbookSettings, service: str) -> tuple[LedgerRecord, ...]:
    try:
        return read_ledger(settings.ledger_path(service)).records
    except RunbookError:
        return ()
