"""§3.3: find out whether the watch itself has stopped, and write it into the ledger before anybody is notified."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.settings import load_settings
from tasks.work.fleet.watchdog import Stopped, stopped_now


@task(name="record_silence", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_silence(services: tuple[str, ...]) -> tuple[Stopped, ...]:
    """Say what is to be reported when no triage looks at a service any more; nothing where one does.

    Runbook: §3.3 SRE and platform.
    Errors: `UNKNOWN_SERVICE`; a stop that cannot be recorded is told all the same.
    """
    return stopped_now(load_settings(), services, datetime.now(UTC))
