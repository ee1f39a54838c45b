"""§1.4 Open the report with the diagnosis, and name the run by what is wrong, while it still works on it."""

import asyncio
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.artifacts import renamed
from tasks.clients.prefect.growing_artifact import opened
from tasks.model.reports.report import OpenReport, TriageStory, UnderWay
from tasks.rules.reports.run_names import found_name, found_tags
from tasks.work.triage.growing_report import page_of, report_key


@task(name="open_report", cache_policy=NO_CACHE, timeout_seconds=5, retries=0)
async def open_report(story: TriageStory) -> OpenReport | None:
    """Publish the diagnosis, with the cause in the run's name, and cause and incident in its tags.

    Runbook: §1.4, once the incident has its name.
    Errors: none; with a server of Prefect that is away there is no page before the end, and messages lead to the run.
    """
    words = "planning, and notifying those who must know"
    story = story.doing(UnderWay(since=datetime.now(UTC), words=words))
    key = report_key(story.evidence.context.request.service)
    report, _ = await asyncio.gather(opened(page_of(story), key), renamed(found_name(story), found_tags(story)))
    return report
