"""Let the list of runs say what is wrong while the run still works on it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.run_page import renamed
from tasks.model.report import TriageStory
from tasks.rules.run_names import found_name, found_tags


@task(name="name_run", cache_policy=NO_CACHE, timeout_seconds=5, retries=0)
async def name_run(story: TriageStory) -> bool:
    """Put the cause into the run's name, and cause and incident into its tags; say whether it shows.

    Runbook: §1.4, once the incident has its name.
    Errors: none; a server of Prefect that is away delays nothing but this.
    """
    return await renamed(found_name(story), found_tags(story))
