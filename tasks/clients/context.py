"""Gather the context of a triage from the ledger and the switch (§1.1)."""

from datetime import datetime, timedelta

from tasks.clients.accepted_checks import accepted_checks
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.look_history import history_path, recall_looks
from tasks.clients.mode_switch import current_mode
from tasks.clients.outbox import Outbox
from tasks.clients.postmortems import unwritten
from tasks.clients.releases_root import release_history
from tasks.model.changes import Change
from tasks.model.errors import CannotLook
from tasks.model.evidence import Context, KnownGateway, TriageRequest
from tasks.model.incident import Ledger, LedgerRecord
from tasks.model.past_looks import PastLook
from tasks.rules.incident_state import failing_since, fold_incidents, rearmed_at
from tasks.rules.maintenance import maintenance_at
from tasks.rules.recent_changes import control_changes, gateway_turns, parse_moves, release_changes
from tasks.rules.recovery_messages import owes_recovery
from tasks.rules.service_lives import service_lives
from tasks.settings import RunbookSettings, ServiceSettings

CHANGES_FOR = timedelta(hours=2)
TURNS_FOR = timedelta(hours=1)


def context_of(
    settings: RunbookSettings, request: TriageRequest, now: datetime, late_s: float = 0.0, run_url: str | None = None
) -> Context:
    """Read which alert fired, when it began, what is open already, what changed, and how far this run may go.

    Runbook: §1.1 Gather context.
    Errors: `UNKNOWN_SERVICE`. An unreadable ledger is told in the context; then nothing is acted on.
    """
    ledger, fault = _ledger(settings, request.service)
    recent = [one for one in ledger.records if one.service in {request.service, None}]
    incidents = fold_incidents(recent, request.service)
    still_open = tuple(one for one in incidents if one.is_open)
    watched = settings.service(request.service)
    checks, checks_detail = accepted_checks(settings.state_dir, request.service)
    history = recall_looks(history_path(settings, request.service), now)
    seen = request.seen
    began = (*(one.opened_at for one in still_open), seen.began_at if seen else None)
    began_at = min(filter(None, began), default=failing_since(recent, request.service, now))
    return Context(
        request=request,
        looked_at=now,
        mode=current_mode(settings, request.mode),
        late_s=round(late_s, 1),
        alert=request.alert
        or (seen.name if seen else None)
        or next((one.type for one in reversed(recent) if still_open), None),
        began_at=began_at,
        recent_count=sum(one.timestamp > now - timedelta(days=1) for one in recent),
        ledger_skipped_count=len(ledger.skipped),
        ledger_detail=fault,
        open_incidents=still_open,
        run_url=run_url,
        changes=_changes(watched, recent, history, now),
        lives=service_lives(recent, incidents, _lived_since(recent, request.service, now), now),
        gateway_turns=gateway_turns(recent, now - TURNS_FOR),
        known_gateways=_known_gateways(watched),
        history=history,
        limits=watched.limits,
        maintenance=maintenance_at(recent, request.service, now),
        desk_time_zone=settings.desk_time_zone,
        checks=checks,
        checks_detail=checks_detail,
        unwritten_incidents=unwritten(settings, incidents, now),
        untold_recoveries=tuple(one.incident_id for one in incidents if owes_recovery(one, now)),
        unsent_count=Outbox(settings.state_dir).pending_count(),
    )


def _changes(
    watched: ServiceSettings, records: list[LedgerRecord], history: tuple[PastLook, ...], now: datetime
) -> tuple[Change, ...]:
    since = now - CHANGES_FOR
    moves = parse_moves(release_history(watched))
    found = (*release_changes(records, moves, history, since), *control_changes(records, since))
    return tuple(sorted(found, key=lambda change: change.at))


def _lived_since(records: list[LedgerRecord], service: str, now: datetime) -> datetime:
    """Say since when lives count: what a person looked at and re-armed is no crash loop any more."""
    since = now - CHANGES_FOR
    return max(since, rearmed_at(records, service) or since)


def _known_gateways(watched: ServiceSettings) -> tuple[KnownGateway, ...]:
    return tuple(KnownGateway(name=name, asset_classes=one.asset_classes) for name, one in watched.gateways.items())


def _ledger(settings: RunbookSettings, service: str) -> tuple[Ledger, str]:
    try:
        return read_ledger(settings.ledger_path(service)), ""
    except CannotLook as error:
        return Ledger(), str(error)
