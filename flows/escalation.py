"""§3 Escalation matrix and §4 Communication."""

from prefect import flow

from tasks.model.messages import Message
from tasks.model.report import Told
from tasks.notify import notify


@flow(name="escalation", flow_run_name="escalation {service}")
async def escalation(service: str, messages: tuple[Message, ...]) -> tuple[Told, ...]:
    """Tell each audience what concerns it, once.

    Runbook: §3 Escalation matrix, §4 Communication.
    """
    return tuple(Told(message=message, arrived=notify(service, message)) for message in messages)  # §4.1, §4.2
