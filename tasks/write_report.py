"""Publish the triage report: one markdown artifact that reads as the runbook page."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import tidy
from tasks.clients.look_history import history_path, note_finished
from tasks.clients.run_page import renamed
from tasks.model.errors import RunbookError
from tasks.model.report import TriageStory
from tasks.rules.headline import story_headline
from tasks.rules.report_markdown import triage_markdown
from tasks.rules.run_names import found_name, found_tags
from tasks.settings import RunbookSettings, load_settings

# Whoever is cut off in the middle loses nothing: the next one goes on.
TIDY_LIMIT_S = 10.0


@task(name="write_report", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_report(story: TriageStory) -> str:
    """Publish the report in the Prefect UI, name the run by what it found, and return its headline.

    Runbook: §1 to §4, line by line; §3.3, since what never comes to this step counts as no triage.
    """
    service = story.evidence.context.request.service
    key = "triage-" + "".join(letter if letter.isalnum() else "-" for letter in service.lower())
    line = story_headline(story)
    await asyncio.gather(
        acreate_markdown_artifact(markdown=triage_markdown(story), key=key, description=line),
        renamed(found_name(story), found_tags(story)),
    )
    settings = load_settings()
    note_finished(history_path(settings, service), datetime.now(UTC))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(tidied, settings, service, datetime.now(UTC)), TIDY_LIMIT_S)
    return line


def tidied(settings: RunbookSettings, service: str, now: datetime) -> int:
    """Append what waits for the ledger, and archive what is over; say how many lines were moved.

    Errors: none. The run is over and told; a ledger that cannot be used is a finding of the next one.
    """
    with suppress(RunbookError, OSError):
        return tidy(settings.ledger(service), timedelta(days=settings.ledger_keep_days), now)
    return 0
