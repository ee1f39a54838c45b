"""§1 for the services that are not plainly well: a triage each, in a run of its own."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.own_triages import own_triages
from tasks.model.rounds import OwnTriage, RoundLooks, RoundRequest
from tasks.settings import load_settings


@task(name="start_triages", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def start_triages(request: RoundRequest, looks: RoundLooks) -> tuple[OwnTriage, ...]:
    """Start a triage for each service that needs one, and say who is at work, who waits, and whom this run must see to.

    Runbook: §1 Initial triage.
    Errors: none; what cannot be started now is looked at again in the next minute.
    """
    return await own_triages(load_settings(), request, looks.services)
