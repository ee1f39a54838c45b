"""Find stalled triage: when one last completed for a service, and whether one is at work on it now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.clients.evidence.history import finished_at, history_path, last_observation_at
from tasks.clients.incidents.ledger import read_ledger, transact
from tasks.clients.incidents.mode import current_mode
from tasks.clients.locks.host_lock import holder_of
from tasks.clients.service.liveness import ask_once
from tasks.model.errors import RunbookError
from tasks.model.incidents.incident import IncidentState, Ledger
from tasks.model.messages.messages import Message
from tasks.model.probes.liveness import SeenAlive
from tasks.rules.fleet.watchdog import (
    STALLED_AFTER,
    Stall,
    covered_services,
    last_activity_at,
    never_observed,
    stall_incident,
    stall_of,
    stall_records,
)
from tasks.rules.incidents.fold import open_incidents
from tasks.rules.messages.triage_stalled import StalledWords, stalled_messages
from tasks.settings import RunbookSettings

Seen = Callable[[str], SeenAlive | None]
# A service without an observation for longer is not monitored by the minute.
OBSERVED_WITHIN = timedelta(days=2)


class Stopped(NamedTuple):
    """A stall: the service whose ledger has the incident, and the notifications."""

    service: str
    messages: tuple[Message, ...]


def record_stalls(
    settings: RunbookSettings,
    services: tuple[str, ...],
    now: datetime,
    watching_since: datetime | None = None,
    seen: Seen = lambda _: None,
) -> tuple[Stopped, ...]:
    """Judge the triage of each service, and open one incident for all whose triage has stalled.

    `seen` gives what the monitoring part itself sees of a service; it stands in every message.

    Runbook: §3.3 SRE and platform.
    Errors: none; a stall that cannot be recorded is notified all the same.
    """
    stalled = _stalled(settings, services, now, watching_since)
    if not stalled:
        return ()
    known = {name: covered_services(_ledger(settings, name), name) for name in stalled}
    covered = {beside for names in known.values() for beside in names}
    fresh = [name for name in stalled if name not in covered]
    owners = [name for name in stalled if known[name]]
    groups = {**dict.fromkeys(owners, ()), **({fresh[0]: tuple(fresh[1:])} if fresh else {})}
    shown = {name: alive for name in stalled if (alive := seen(name)) is not None}
    words = StalledWords(mode=current_mode(settings), now=now, seen=shown, time_zone=settings.desk_time_zone)
    stopped: list[Stopped] = []
    for name, beside in groups.items():
        found = stalled[name].having(beside)
        about = dict.fromkeys((name, *beside, *(one for one in known[name] if one in stalled)))
        incident = _recorded(settings, name, found, now)
        stopped.append(Stopped(name, stalled_messages(incident, found, words, tuple(about))))
    return tuple(stopped)


def stopped_now(settings: RunbookSettings, services: tuple[str, ...], now: datetime) -> tuple[Stopped, ...]:
    """Judge stalls where nothing probes the services each second: each is probed once, here."""

    def seen(service: str) -> SeenAlive:
        watched = settings.service(service)
        answered = ask_once(watched.endpoint(watched.health.path), watched.http)
        return SeenAlive(answered=answered, since=now, asked_at=now)

    return record_stalls(settings, services, now, seen=seen)


def _stalled(
    settings: RunbookSettings, services: tuple[str, ...], now: datetime, watching_since: datetime | None
) -> dict[str, Stall]:
    """Find the services whose triage has stalled; one that was never checked only where others are."""
    judged = {name: stall_now(settings, name, now, watching_since) for name in services}
    if watching_since is not None and any(one is not None and not one.stalled for one in judged.values()):
        judged = {name: one or never_observed(watching_since, now) for name, one in judged.items()}
    return {name: one for name, one in judged.items() if one is not None and one.stalled}


def stall_now(
    settings: RunbookSettings, service: str, now: datetime, watching_since: datetime | None = None
) -> Stall | None:
    """Judge the triage of one service; None where it has none at all."""
    path = history_path(settings, service)
    last_at = finished_at(path, now, OBSERVED_WITHIN)
    if last_at is None and last_observation_at(path, now, OBSERVED_WITHIN) is not None:
        # They observe, and none completes: since when, nobody knows before our own start.
        last_at = watching_since
    if last_at is None:
        return None
    # The ledger is read only where the history alone does not show recent triage.
    records = _ledger(settings, service).records if now - last_at >= STALLED_AFTER else ()
    return stall_of(
        last_activity_at((last_at,), records, service, now),
        now,
        acting=holder_of(settings.state_dir, service) is not None,
        approval_timeout_s=settings.approval_timeout_s,
        watching_since=watching_since,
    )


def _recorded(settings: RunbookSettings, service: str, found: Stall, now: datetime) -> IncidentState:
    place = settings.ledger(service)
    try:
        transact(place, lambda ledger: stall_records(ledger, service, found, now))
        known = open_incidents(read_ledger(place), service)
    except RunbookError:
        known = ()
    blind = stall_incident(service, found)
    return next((one for one in known if set(blind.causes) & set(one.causes)), blind)


def _ledger(settings: RunbookSettings, service: str) -> Ledger:
    try:
        return read_ledger(settings.ledger(service))
    except RunbookError:
        return Ledger()
