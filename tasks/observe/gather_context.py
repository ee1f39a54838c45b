"""§1.1 Gather context."""

from datetime import UTC, datetime

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.model.evidence.evidence import Context, TriageRequest
from tasks.settings import load_settings
from tasks.work.triage.context import context_of


@task(name="gather_context", cache_policy=NO_CACHE, timeout_seconds=10)
def gather_context(request: TriageRequest) -> Context:
    """Gather which alert fired, when it began, what is open already, and how far this run may go.

    Runbook: §1.1 Gather context.
    Errors: an unreadable ledger is reported in the context; then nothing is acted on, because budgets are unknown.
    """
    now = datetime.now(UTC)
    scheduled_at = runtime.flow_run.scheduled_start_time
    late_s = (now - scheduled_at).total_seconds() if scheduled_at else 0.0
    return context_of(load_settings(), request, now, max(0.0, late_s), runtime.flow_run.ui_url)
