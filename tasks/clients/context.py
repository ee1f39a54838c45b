"""Gather the context of a triage from the ledger and the switch (§1.1)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.clients.accepted_checks import accepted_checks
from tasks.clients.incident_ledger import read_ledger, write_fault
from tasks.clients.jsonl import LOCK_TIMEOUT_S
from tasks.clients.known_secrets import secret_values
from tasks.clients.look_history import history_path, recall_looks
from tasks.clients.mode_switch import current_mode
from tasks.clients.outbox import Outbox
from tasks.clients.postmortems import unwritten
from tasks.clients.releases_root import live_table_changed_at, release_history
from tasks.model.changes import Change
from tasks.model.checks import Check
from tasks.model.errors import CannotLook
from tasks.model.evidence import Context, KnownGateway, TriageRequest
from tasks.model.incident import Ledger, LedgerRecord
from tasks.model.ledger_file import LedgerPlace
from tasks.model.looks import Seen
from tasks.model.past_looks import PastLook
from tasks.rules.incident_state import failing_since, fold_incidents, rearmed_at
from tasks.rules.maintenance import maintenance_at
from tasks.rules.recent_changes import control_changes, gateway_turns, parse_moves, release_changes
from tasks.rules.recovery_messages import owes_recovery
from tasks.rules.redaction import cleaned
from tasks.rules.service_lives import service_lives, start_failure
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
    context = context_around(settings, request, now, kept_of(settings, request.service))
    return context.model_copy(update={"late_s": round(late_s, 1), "run_url": run_url})


def context_at_once(
    settings: RunbookSettings, request: TriageRequest, now: datetime, late_s: float = 0.0, run_url: str | None = None
) -> Context:
    """Read the same for what tightens: whether the ledger could be written now is not asked, for that may take seconds.

    Errors: `UNKNOWN_SERVICE`.
    """
    kept = kept_of(settings, request.service, asks_to_write=False)
    context = context_around(settings, request, now, kept)
    return context.model_copy(update={"late_s": round(late_s, 1), "run_url": run_url})


class Kept(NamedTuple):
    """What a context is gathered around: the files that services of one host may share.

    An empty ledger with a `fault` could not be read. `checks` are all accepted ones; `checks_detail` says which not.
    """

    ledger: Ledger
    fault: str
    checks: tuple[Check, ...]
    checks_detail: str
    unsent_count: int


def kept_of(settings: RunbookSettings, service: str, *, asks_to_write: bool = True) -> Kept:
    """Read what is kept of one service.

    Errors: `UNKNOWN_SERVICE`; what cannot be read is told.
    """
    place = settings.ledger(service)
    ledger, fault = ledger_or_fault(place) if asks_to_write else ledger_at_once(place)
    fault = fault or (write_fault(place) if asks_to_write else "")
    checks = accepted_checks(settings.state_dir, service)
    return Kept(ledger, fault, *checks, Outbox(settings.state_dir).pending_count())


def context_around(settings: RunbookSettings, request: TriageRequest, now: datetime, kept: Kept) -> Context:
    """Gather the context around what was read already; how late the run is, and its address, are left out.

    Runbook: §1.1 Gather context.
    Errors: `UNKNOWN_SERVICE`.
    """
    ledger = kept.ledger
    recent = [one for one in ledger.records if one.service in {request.service, None}]
    incidents = fold_incidents(ledger, request.service)
    still_open = tuple(one for one in incidents if one.is_open)
    watched = settings.service(request.service)
    history = recall_looks(history_path(settings, request.service), now)
    seen, secrets = request.seen, secret_values(settings)
    began = (*(one.opened_at for one in still_open), seen.began_at if seen else None)
    began_at = min(filter(None, began), default=failing_since(recent, request.service, now))
    found = Context(
        request=request,
        looked_at=now,
        mode=current_mode(settings, request.mode),
        late_s=0.0,
        alert=request.alert
        or (seen.name if seen else None)
        or next((one.type for one in reversed(recent) if still_open), None),
        began_at=began_at,
        recent_count=sum(one.timestamp > now - timedelta(days=1) for one in recent),
        recent_is_least=ledger.before.left_out_count > 0,
        ledger_skipped_count=ledger.skipped_count,
        ledger_detail=kept.fault,
        open_incidents=still_open,
        changes=_changes(watched, recent, history, now),
        lives=service_lives(recent, incidents, _lived_since(recent, request.service, now), now),
        start_failure=start_failure(recent, live_table_changed_at(watched), _seen_up_at(history)),
        gateway_turns=gateway_turns(recent, now - TURNS_FOR),
        known_gateways=_known_gateways(watched),
        limits=watched.limits,
        maintenance=maintenance_at(recent, request.service, now),
        desk_time_zone=settings.desk_time_zone,
        checks=kept.checks,
        checks_detail=kept.checks_detail,
        unwritten_incidents=unwritten(settings, incidents, now),
        untold_recoveries=tuple(one.incident_id for one in incidents if owes_recovery(one, now)),
        unsent_count=kept.unsent_count,
    )
    # All of it but our own numbers is somebody's text: a window's reason, the last words of a start.
    return cleaned(found, secrets).model_copy(update={"history": history})


def _changes(
    watched: ServiceSettings, records: list[LedgerRecord], history: tuple[PastLook, ...], now: datetime
) -> tuple[Change, ...]:
    since = now - CHANGES_FOR
    moves = parse_moves(release_history(watched))
    found = (*release_changes(records, moves, history, since), *control_changes(records, since))
    return tuple(sorted(found, key=lambda change: change.at))


def _seen_up_at(history: tuple[PastLook, ...]) -> datetime | None:
    """Say when a run last saw the service answer."""
    return max((one.at for one in history if one.health is Seen.PASSED), default=None)


def _lived_since(records: list[LedgerRecord], service: str, now: datetime) -> datetime:
    """Say since when lives count: what a person looked at and re-armed is no crash loop any more."""
    since = now - CHANGES_FOR
    return max(since, rearmed_at(records, service) or since)


def _known_gateways(watched: ServiceSettings) -> tuple[KnownGateway, ...]:
    return tuple(KnownGateway(name=name, asset_classes=one.asset_classes) for name, one in watched.gateways.items())


def ledger_at_once(place: LedgerPlace) -> tuple[Ledger, str]:
    """Read a ledger for what tightens, which waits for nobody's lock."""
    return ledger_or_fault(place, patience_s=0.0)


def ledger_or_fault(place: LedgerPlace, patience_s: float = LOCK_TIMEOUT_S) -> tuple[Ledger, str]:
    """Read a ledger; one that cannot be read is empty, and says why."""
    try:
        return read_ledger(place, patience_s=patience_s), ""
    except CannotLook as error:
        return Ledger(), str(error)
