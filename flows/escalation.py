"""§3 Escalation matrix and §4 Communication."""

from prefect import flow

from tasks.find_due_pages import find_due_pages
from tasks.model.maintenance import Maintenance
from tasks.model.messages import Message
from tasks.model.report import Told
from tasks.notify import notify
from tasks.rules.maintenance import told_in_maintenance


@flow(name="escalation", flow_run_name="escalation {service}")
async def escalation(
    service: str, messages: tuple[Message, ...], maintenance: Maintenance | None = None
) -> tuple[Told, ...]:
    """Tell each audience what concerns it, once; then whoever is due by the timers, with what was just told counted.

    Runbook: §3 Escalation matrix, §4 Communication.
    """
    told = tell(service, told_in_maintenance(messages, maintenance))  # §4.1, §4.2
    return told + tell(service, find_due_pages(service))  # §3.1, §3.2, §3.3


def tell(service: str, messages: tuple[Message, ...]) -> tuple[Told, ...]:
    """Tell one message after the other, and say which arrived."""
    return tuple(Told(message=message, arrived=notify(service, message)) for message in messages)
