"""Gather the context of a triage from the ledger and the switch (§1.1)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.clients.evidence.history import history_path, recall_observations
from tasks.clients.files.jsonl import LOCK_TIMEOUT_S
from tasks.clients.incidents.ledger import read_ledger, write_fault
from tasks.clients.incidents.mode import current_mode
from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.messages.outbox import Outbox
from tasks.clients.process.releases_root import live_table_changed_at, release_history
from tasks.clients.service.instances import instances_of
from tasks.model.checks.checks import Check
from tasks.model.diagnosis.changes import Change
from tasks.model.errors import CannotObserve
from tasks.model.evidence.evidence import Context, KnownGateway, TriageRequest
from tasks.model.incidents.incident import IncidentState, Ledger, LedgerRecord
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import Seen
from tasks.rules.diagnosis.process_runs import process_runs, start_failure
from tasks.rules.diagnosis.recent_changes import control_changes, gateway_turns, parse_moves, release_changes
from tasks.rules.incidents.fold import failing_since, fold_incidents, rearmed_at
from tasks.rules.incidents.maintenance_windows import maintenance_at, planned_at
from tasks.rules.messages.recovered import owes_recovery
from tasks.rules.messages.redaction import cleaned
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.postmortem.accepted_checks import accepted_checks
from tasks.work.postmortem.documents import unwritten
from tasks.work.postmortem.kept_follow_ups import is_quiet

CHANGES_FOR = timedelta(hours=2)
TURNS_FOR = timedelta(hours=1)


def context_of(
    settings: RunbookSettings, request: TriageRequest, now: datetime, late_s: float = 0.0, run_url: str | None = None
) -> Context:
    """Read which alert fired, when it began, what is open already, what changed, and how far this run may go.

    Runbook: §1.1 Gather context.
    Errors: `UNKNOWN_SERVICE`. An unreadable ledger is reported in the context; then nothing is acted on.
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

    Errors: `UNKNOWN_SERVICE`; what cannot be read is reported.
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
    history = recall_observations(history_path(settings, request.service), now)
    found = Context(
        request=request,
        looked_at=now,
        mode=current_mode(settings, request.mode),
        late_s=0.0,
        alert=_alert(request, recent if still_open else []),
        began_at=_began_at(request, still_open) or failing_since(recent, request.service, now),
        recent_count=sum(one.timestamp > now - timedelta(days=1) for one in recent),
        recent_is_least=ledger.before.left_out_count > 0,
        ledger_skipped_count=ledger.skipped_count,
        ledger_detail=kept.fault,
        open_incidents=still_open,
        changes=_changes(watched, recent, history, now),
        lives=process_runs(recent, incidents, _lived_since(recent, request.service, now), now),
        start_failure=start_failure(recent, live_table_changed_at(watched), _seen_up_at(history)),
        gateway_turns=gateway_turns(recent, now - TURNS_FOR),
        known_gateways=_known_gateways(watched),
        known_classes=watched.known_classes,
        known_instances=tuple(instances_of(watched)),
        limits=watched.limits,
        maintenance=maintenance_at(recent, request.service, now, watched.planned),
        planned=planned_at(recent, request.service, now, watched.planned),
        desk_time_zone=settings.desk_time_zone,
        desk_every_s=watched.escalation.desk_every_s,
        checks=kept.checks,
        checks_detail=kept.checks_detail,
        unwritten_incidents=unwritten(settings, incidents, now),
        follow_ups_due=not is_quiet(settings.state_dir, request.service, now),
        untold_recoveries=tuple(one.incident_id for one in incidents if owes_recovery(one, now)),
        unsent_count=kept.unsent_count,
    )
    # All of it but our own numbers is somebody's text: a window's reason, the last words of a start.
    return cleaned(found, secret_values(settings)).model_copy(update={"history": history})


def _alert(request: TriageRequest, recent: list[LedgerRecord]) -> str | None:
    return request.alert or (request.seen.name if request.seen else _last_type(recent))


def _began_at(request: TriageRequest, still_open: Iterable[IncidentState]) -> datetime | None:
    """Say since when what is open already, or what the alert reports, goes on."""
    alerted_at = request.seen.began_at if request.seen else None
    return min(filter(None, (*(one.opened_at for one in still_open), alerted_at)), default=None)


def _changes(
    watched: ServiceSettings, records: list[LedgerRecord], history: tuple[PastObservation, ...], now: datetime
) -> tuple[Change, ...]:
    since = now - CHANGES_FOR
    moves = parse_moves(release_history(watched))
    found = (*release_changes(records, moves, history, since), *control_changes(records, since))
    return tuple(sorted(found, key=lambda change: change.at))


def _seen_up_at(history: tuple[PastObservation, ...]) -> datetime | None:
    """Say when a run last saw the service answer."""
    return max((one.at for one in history if one.health is Seen.PASSED), default=None)


def _lived_since(records: list[LedgerRecord], service: str, now: datetime) -> datetime:
    """Say since when lives count: what a person looked at and re-armed is no crash loop any more."""
    since = now - CHANGES_FOR
    return max(since, rearmed_at(records, service) or since)


def _last_type(records: list[LedgerRecord]) -> str | None:
    return records[-1].type if records else None


def _known_gateways(watched: ServiceSettings) -> tuple[KnownGateway, ...]:
    return tuple(KnownGateway(name=name, asset_classes=one.asset_classes) for name, one in watched.gateways.items())


def ledger_at_once(place: LedgerPlace) -> tuple[Ledger, str]:
    """Read a ledger for what tightens, which waits for nobody's lock."""
    return ledger_or_fault(place, patience_s=0.0)


def ledger_or_fault(place: LedgerPlace, patience_s: float = LOCK_TIMEOUT_S) -> tuple[Ledger, str]:
    """Read a ledger; one that cannot be read is empty, and says why."""
    try:
        return read_ledger(place, patience_s=patience_s), ""
    except CannotObserve as error:
        return Ledger(), str(error)
