"""Dead man's switch: an automation starts this when no triage has completed for three minutes."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.forms import Help, run_named, services_asked
from tasks.notify.notify import notify
from tasks.notify.record_silence import record_silence
from tasks.record.name_watchdog import name_watchdog

Watched = Annotated[str | None, Field(max_length=100), Help("Which monitored service; leave empty for all.")]


@flow(name="watchdog", flow_run_name=run_named("{service}: do triages still finish?"))
async def watchdog(service: Watched = "") -> int:
    """Notify those who fix the automation, and those who must watch the service until then.

    Runbook: §3.3 SRE and platform, §3.1 on-call.
    """
    stopped = record_silence(services_asked(service))
    await name_watchdog(stopped)
    return sum(notify(one.service, message) for one in stopped for message in one.messages)
