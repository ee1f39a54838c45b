"""Publish the report of a round: one markdown artifact with a line for each service."""

import asyncio
from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.look_history import history_path, note_finished
from tasks.clients.run_page import renamed
from tasks.model.rounds import RoundStory
from tasks.rules.round_markdown import round_line, round_markdown, round_name, round_tags
from tasks.rules.rounds import finished_services
from tasks.settings import load_settings

KEY = "triage-all-services"


@task(name="write_round", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_round(story: RoundStory) -> str:
    """Publish the report in the Prefect UI and return its status line.

    Runbook: §1, a line for each service; §3.3, since what never comes to this step counts as no triage.
    """
    line = round_line(story)
    await asyncio.gather(
        acreate_markdown_artifact(markdown=round_markdown(story), key=KEY, description=line),
        renamed(round_name(story), round_tags(story)),
    )
    settings, now = load_settings(), datetime.now(UTC)
    for service in finished_services(story):
        note_finished(history_path(settings, service), now)
    return line
