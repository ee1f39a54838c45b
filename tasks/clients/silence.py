"""Look at the watch itself: when a triage last looked at a service, and whether one is at work on it now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.clients.incident_ledger import read_ledger, transact
from tasks.clients.liveness import ask_once
from tasks.clients.look_history import finished_at, history_path, last_look_at
from tasks.clients.mode_switch import current_mode
from tasks.clients.service_lock import holder_of
from tasks.model.errors import RunbookError
from tasks.model.incident import IncidentState, Ledger
from tasks.model.liveness import SeenAlive
from tasks.model.messages import Message
from tasks.rules.incident_state import open_incidents
from tasks.rules.silence import (
    SILENT_AFTER,
    Silence,
    last_sign_at,
    never_looked,
    silence_incident,
    silence_of,
    silence_records,
    told_with,
)
from tasks.rules.stalled_messages import StalledWords, stalled_messages
from tasks.settings import RunbookSettings

Seen = Callable[[str], SeenAlive | None]
# A service that no triage has looked at for longer is none that is watched by the minute.
LOOKED_WITHIN = timedelta(days=2)


class Stopped(NamedTuple):
    """A stop of the watch: the service whose ledger has the incident, and what is to be told."""

    service: str
    messages: tuple[Message, ...]


def silences_recorded(
    settings: RunbookSettings,
    services: tuple[str, ...],
    now: datetime,
    watching_since: datetime | None = None,
    seen: Seen = lambda _: None,
) -> tuple[Stopped, ...]:
    """Judge the silence around each service, and open one incident for all that nobody looks at any more.

    `seen` gives what the monitoring part itself sees of a service; it stands in every message.

    Runbook: §3.3 SRE and platform.
    Errors: none; a stop that cannot be recorded is told all the same.
    """
    silent = _silent(settings, services, now, watching_since)
    if not silent:
        return ()
    known = {name: told_with(_ledger(settings, name), name) for name in silent}
    covered = {beside for names in known.values() for beside in names}
    fresh = [name for name in silent if name not in covered]
    owners = [name for name in silent if known[name]]
    groups = {**dict.fromkeys(owners, ()), **({fresh[0]: tuple(fresh[1:])} if fresh else {})}
    shown = {name: alive for name in silent if (alive := seen(name)) is not None}
    words = StalledWords(mode=current_mode(settings), now=now, seen=shown, time_zone=settings.desk_time_zone)
    stopped: list[Stopped] = []
    for name, beside in groups.items():
        found = silent[name].having(beside)
        about = dict.fromkeys((name, *beside, *(one for one in known[name] if one in silent)))
        incident = _recorded(settings, name, found, now)
        stopped.append(Stopped(name, stalled_messages(incident, found, words, tuple(about))))
    return tuple(stopped)


def stopped_now(settings: RunbookSettings, services: tuple[str, ...], now: datetime) -> tuple[Stopped, ...]:
    """Judge the silence where nothing asks the services each second: each is asked once, here."""

    def seen(service: str) -> SeenAlive:
        answered = ask_once(f"{settings.service(service).url}/health")
        return SeenAlive(answered=answered, since=now, asked_at=now)

    return silences_recorded(settings, services, now, seen=seen)


def _silent(
    settings: RunbookSettings, services: tuple[str, ...], now: datetime, watching_since: datetime | None
) -> dict[str, Silence]:
    """Find the services that nobody looks at; one that was never looked at only where others are."""
    judged = {name: silence_now(settings, name, now, watching_since) for name in services}
    if watching_since is not None and any(one is not None and not one.silent for one in judged.values()):
        judged = {name: one or never_looked(watching_since, now) for name, one in judged.items()}
    return {name: one for name, one in judged.items() if one is not None and one.silent}


def silence_now(
    settings: RunbookSettings, service: str, now: datetime, watching_since: datetime | None = None
) -> Silence | None:
    """Judge the silence; None where no triage looks at the service at all."""
    path = history_path(settings, service)
    last_at = finished_at(path, now, LOOKED_WITHIN)
    if last_at is None and last_look_at(path, now, LOOKED_WITHIN) is not None:
        # They look, and none comes to its end: since when, nobody knows before our own start.
        last_at = watching_since
    if last_at is None:
        return None
    # The ledger is read only where the looks alone do not show that all is well.
    records = _ledger(settings, service).records if now - last_at >= SILENT_AFTER else ()
    return silence_of(
        last_sign_at((last_at,), records, service, now),
        now,
        acting=holder_of(settings.state_dir, service) is not None,
        approval_timeout_s=settings.approval_timeout_s,
        watching_since=watching_since,
    )


def _recorded(settings: RunbookSettings, service: str, found: Silence, now: datetime) -> IncidentState:
    place = settings.ledger(service)
    try:
        transact(place, lambda ledger: silence_records(ledger, service, found, now))
        known = open_incidents(read_ledger(place), service)
    except RunbookError:
        known = ()
    blind = silence_incident(service, found)
    return next((one for one in known if set(blind.causes) & set(one.causes)), blind)


def _ledger(settings: RunbookSettings, service: str) -> Ledger:
    try:
        return read_ledger(settings.ledger(service))
    except RunbookError:
        return Ledger()
