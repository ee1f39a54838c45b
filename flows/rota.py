"""Check the rota when a run has ended, so that a gap is reported the day before. A hook: no run waits for it."""

from datetime import UTC, datetime
from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun

from tasks.clients.messages.delivery_thread import deliver
from tasks.model.messages.messages import Message
from tasks.settings import load_settings
from tasks.work.people.rota_check import check_rota


def report_rota_gaps(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Report who is missing to tier 1 and tier 3; where no rota is set, nothing is read."""
    settings = load_settings()
    if not settings.on_call.rotas:
        return

    def send(service: str, message: Message) -> bool:
        return deliver(settings, service, message)

    check_rota(settings, datetime.now(UTC), send)
