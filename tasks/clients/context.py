"""Gather the context of a triage from the ledger and the switch (§1.1)."""

from datetime import datetime, timedelta

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.mode_switch import current_mode
from tasks.model.errors import CannotLook
from tasks.model.evidence import Context, TriageRequest
from tasks.model.incident import Ledger
from tasks.rules.incident_state import failing_since, open_incidents
from tasks.settings import RunbookSettings


def context_of(
    settings: RunbookSettings, request: TriageRequest, now: datetime, late_s: float = 0.0, run_url: str | None = None
) -> Context:
    """Read which alert fired, when it began, what is open already, and how far this run may go.

    Runbook: §1.1 Gather context.
    Errors: `UNKNOWN_SERVICE`. An unreadable ledger is told in the context; then nothing is acted on.
    """
    ledger, fault = _ledger(settings, request.service)
    recent = [one for one in ledger.records if one.service in {request.service, None}]
    still_open = open_incidents(recent, request.service)
    began_at = min((one.opened_at for one in still_open), default=failing_since(recent, request.service, now))
    return Context(
        request=request,
        looked_at=now,
        mode=current_mode(settings, request.mode),
        late_s=round(late_s, 1),
        alert=request.alert or next((one.type for one in reversed(recent) if still_open), None),
        began_at=began_at,
        recent_count=sum(one.timestamp > now - timedelta(days=1) for one in recent),
        ledger_skipped_count=len(ledger.skipped),
        ledger_detail=fault,
        open_incidents=still_open,
        run_url=run_url,
    )


def _ledger(settings: RunbookSettings, service: str) -> tuple[Ledger, str]:
    try:
        return read_ledger(settings.ledger_path(service)), ""
    except CannotLook as error:
        return Ledger(), str(error)
