"""The watcher watched: an automation starts this when no triage has completed for three minutes."""

from prefect import flow

from flows.forms import Service
from tasks.notify import notify
from tasks.record_silence import record_silence


@flow(name="watchdog", flow_run_name="{service}: no triage for three minutes")
async def watchdog(service: Service = "order-service") -> int:
    """Tell that the watch has stopped: those who mend it, and those who must look meanwhile.

    Runbook: §3.3 SRE and platform, §3.1 on-call.
    """
    messages = record_silence(service)
    return sum(notify(service, message) for message in messages)
