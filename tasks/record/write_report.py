"""Publish the triage report: one markdown artifact that reads as the runbook page."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.evidence.history import history_path, note_finished
from tasks.clients.incidents.ledger import tidy
from tasks.clients.prefect.artifacts import published, renamed
from tasks.clients.prefect.growing_artifact import ReportPage, rewritten, settled
from tasks.model.errors import RunbookError
from tasks.model.reports.report import TriageStory
from tasks.rules.reports.run_names import found_tags
from tasks.settings import RunbookSettings, load_settings
from tasks.work.triage.growing_report import page_of, report_key

# Whoever is cut off in the middle loses nothing: the next one goes on.
TIDY_LIMIT_S = 10.0
# A server that is busy gets more time than beside an action: nothing waits for the report any more.
REPORT_LIMIT_S = 8.0


@task(name="write_report", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_report(story: TriageStory) -> str:
    """Publish the report in the Prefect UI, name the run by what it found, and return its headline.

    Runbook: §1 to §4, line by line; §3.3, since what never comes to this step counts as no triage.
    """
    service = story.evidence.context.request.service
    page = page_of(story)
    if story.report is not None:
        await settled(story.report.artifact_id)
    shown, _ = await asyncio.gather(_shown(story, page), renamed(page.run_name, found_tags(story)))
    if not shown:
        get_run_logger().warning("REPORT_NOT_SHOWN: Prefect's server took no artifact; all else of the run is done")
    settings = load_settings()
    note_finished(history_path(settings, service), datetime.now(UTC))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(tidied, settings, service, datetime.now(UTC)), TIDY_LIMIT_S)
    return page.description


async def _shown(story: TriageStory, page: ReportPage) -> bool:
    """Bring the report that is open up to date; where none is, or it is gone, publish one."""
    if story.report is not None and await rewritten(story.report.artifact_id, page):
        return True
    key = report_key(story.evidence.context.request.service)
    return await published(page.markdown, key, page.description, REPORT_LIMIT_S)


def tidied(settings: RunbookSettings, service: str, now: datetime) -> int:
    """Append what waits for the ledger, and archive what is over; say how many lines were moved.

    Errors: none. The run is over and reported; a ledger that cannot be used is a finding of the next one.
    """
    with suppress(RunbookError, OSError):
        return tidy(settings.ledger(service), timedelta(days=settings.ledger_keep_days), now)
    return 0
