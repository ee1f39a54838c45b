"""Safety rule 1: confirm before acting."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.confirming import confirming_looks
from tasks.clients.progress import shown_progress
from tasks.model.evidence import Context
from tasks.model.looks import Observation
from tasks.settings import load_settings


@task(name="confirm_failure", cache_policy=NO_CACHE, timeout_seconds=120)
async def confirm_failure(service: str, first: Observation, context: Context | None = None) -> tuple[Observation, ...]:
    """Look again until there are enough looks to act on, or until one look shows nothing wrong.

    Runbook: §2.1, before anything is done.
    Errors: none of its own; one failed probe is never enough, and one good look ends the doubt.
    """
    async with shown_progress("progress-looks") as report:
        return await confirming_looks(load_settings().service(service), first, context, report)
