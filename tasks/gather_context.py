"""§1.1 Gather context."""

from datetime import UTC, datetime, timedelta

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.mode_switch import current_mode
from tasks.model.errors import CannotLook
from tasks.model.evidence import Context, TriageRequest
from tasks.model.incident import Ledger
from tasks.rules.incident_state import failing_since, open_incidents
from tasks.settings import RunbookSettings, load_settings


@task(name="gather_context", cache_policy=NO_CACHE, timeout_seconds=10)
def gather_context(request: TriageRequest) -> Context:
    """Gather which alert fired, when it began, what is open already, and how far this run may go.

    Runbook: §1.1 Gather context.
    Errors: an unreadable ledger is told in the context; then nothing is acted on, because budgets are unknown.
    """
    now = datetime.now(UTC)
    scheduled_at = runtime.flow_run.scheduled_start_time
    late_s = (now - scheduled_at).total_seconds() if scheduled_at else 0.0
    return context_of(load_settings(), request, now, max(0.0, late_s), runtime.flow_run.ui_url)


def context_of(
    settings: RunbookSettings, request: TriageRequest, now: datetime, late_s: float = 0.0, run_url: str | None = None
) -> Context:
    """Read the ledger and the switch."""
    ledger, fault = _ledger(settings, request.service)
    recent = [one for one in ledger.records if one.service in {request.service, None}]
    still_open = open_incidents(recent, request.service)
    began_at = min((one.opened_at for one in still_open), default=failing_since(recent, request.service, now))
    alert = request.alert or next((one.type for one in reversed(recent) if still_open), None)
    return Context(
        request=request,
        looked_at=now,
        mode=current_mode(settings, request.mode),
        late_s=round(late_s, 1),
        alert=alert,
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
