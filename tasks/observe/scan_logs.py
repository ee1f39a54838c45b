"""§1.4 Recent logs and incidents: the service logs."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.logs.scan_logs import logs_check
from tasks.clients.prefect.progress import shown_progress
from tasks.model.logs.findings import LogCheck, ScanQuestion
from tasks.settings import load_settings

# A triage waits for it: what is left of a long log is read by the next one.
DEADLINE_S = 4.0


@task(name="scan_logs", cache_policy=NO_CACHE, timeout_seconds=15)
async def scan_logs(service: str, released_at: datetime | None = None) -> LogCheck:
    """Find errors and stack traces in what the service logged since the last scan.

    Runbook: §1.4 Tail the service logs for errors and stack traces.
    """
    settings = load_settings()
    question = ScanQuestion(now=datetime.now(UTC), released_at=released_at, deadline_s=DEADLINE_S)
    async with shown_progress("progress-logs") as report:
        return await logs_check(settings.service(service), settings.state_dir, question, report)
