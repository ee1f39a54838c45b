"""Safety rule 1: confirm before acting."""

from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.evidence.watched_silence import silence_kept
from tasks.clients.prefect.progress import shown_progress
from tasks.model.evidence.evidence import Context
from tasks.model.probes.probes import Observation
from tasks.settings import load_settings
from tasks.work.triage.confirming import confirming_checks


@task(name="confirm_failure", cache_policy=NO_CACHE, timeout_seconds=120)
async def confirm_failure(service: str, first: Observation, context: Context | None = None) -> tuple[Observation, ...]:
    """Check again until there are enough checks to act on, or until one check shows nothing wrong.

    Runbook: §2.1, before anything is done.
    Errors: none of its own; one failed probe is never enough, and one good check ends the doubt.
    """
    settings = load_settings()
    watched = partial(silence_kept, settings.state_dir, service)
    async with shown_progress("progress-looks") as report:
        return await confirming_checks(settings.service(service), first, context, report, watched)
