"""Publish the report of a sweep: one markdown artifact with a line for each service."""

import asyncio
from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.evidence.history import history_path, note_finished
from tasks.clients.prefect.artifacts import renamed
from tasks.model.fleet.sweep import SweepRecord
from tasks.rules.fleet.sweep import finished_services
from tasks.rules.fleet.sweep_markdown import sweep_line, sweep_markdown, sweep_name, sweep_tags
from tasks.settings import load_settings

KEY = "triage-all-services"


@task(name="write_sweep", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_sweep(story: SweepRecord) -> str:
    """Publish the report in the Prefect UI and return its status line.

    Runbook: §1, a line for each service; §3.3, since what never comes to this step counts as no triage.
    """
    line = sweep_line(story)
    await asyncio.gather(
        acreate_markdown_artifact(markdown=sweep_markdown(story), key=KEY, description=line),
        renamed(sweep_name(story), sweep_tags(story)),
    )
    settings, now = load_settings(), datetime.now(UTC)
    for service in finished_services(story):
        note_finished(history_path(settings, service), now)
    return line
