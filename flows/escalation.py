"""§3 Escalation matrix and §4 Communication."""

import asyncio
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from tasks.model.incidents.maintenance import Maintenance
from tasks.model.messages.messages import Message
from tasks.model.reports.report import Told
from tasks.notify.find_due_pages import find_due_pages
from tasks.notify.notify import notify
from tasks.rules.incidents.maintenance_windows import told_in_maintenance
from tasks.rules.messages.attachments import linked
from tasks.rules.reports.run_names import notifying_name


def run_name() -> str:
    parameters: dict[str, Any] = flow_run.parameters
    return notifying_name(parameters["service"], parameters["messages"])


@flow(name="escalation", flow_run_name=run_name)
async def escalation(
    service: str, messages: tuple[Message, ...], maintenance: Maintenance | None = None, run_url: str | None = None
) -> tuple[Told, ...]:
    """Notify each audience once; then whoever is due by the timers, which count what was just sent.

    Runbook: §3 Escalation matrix, §4 Communication.
    Steps: each message links to `run_url`, the run with the report, and not to this part of it. In a thread of its own:
    a channel that is slow holds up nothing that goes on beside it.
    """
    return await asyncio.to_thread(tell_and_remind, service, told_in_maintenance(messages, maintenance), run_url)


def tell_and_remind(service: str, messages: tuple[Message, ...], run_url: str | None) -> tuple[Told, ...]:
    told = tell(service, linked(messages, run_url))  # §4.1, §4.2
    return told + tell(service, linked(find_due_pages(service), run_url))  # §3.1, §3.2, §3.3


def tell(service: str, messages: tuple[Message, ...]) -> tuple[Told, ...]:
    """Send one message after the other, and say which arrived."""
    return tuple(Told(message=message, arrived=notify(service, message)) for message in messages)
