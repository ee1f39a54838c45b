"""Let the list of runs say whether triage has stalled; before anybody has checked, its name only asks."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.artifacts import renamed
from tasks.rules.reports.run_names import watchdog_name
from tasks.work.fleet.watchdog import Stopped


@task(name="name_watchdog", cache_policy=NO_CACHE, timeout_seconds=5, retries=0)
async def name_watchdog(stopped: tuple[Stopped, ...]) -> bool:
    """Put what was found into the run's name; say whether it shows.

    Runbook: §3.3 SRE and platform.
    Errors: none; a server of Prefect that is away delays nothing but this.
    """
    return await renamed(watchdog_name(tuple(one.service for one in stopped)))
