"""The watcher watched: an automation starts this when no triage has completed for three minutes."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.asked import run_named, services_asked
from flows.forms import Help
from tasks.name_watchdog import name_watchdog
from tasks.notify import notify
from tasks.record_silence import record_silence

Watched = Annotated[str | None, Field(max_length=100), Help("Which watched service; leave empty for all.")]


@flow(name="watchdog", flow_run_name=run_named("{service}: do triages still finish?"))
async def watchdog(service: Watched = "") -> int:
    """Tell that the watch has stopped: those who mend it, and those who must look meanwhile.

    Runbook: §3.3 SRE and platform, §3.1 on-call.
    """
    stopped = record_silence(services_asked(service))
    await name_watchdog(stopped)
    return sum(notify(one.service, message) for one in stopped for message in one.messages)
