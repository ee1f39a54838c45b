"""Tell an outside watcher that a run began and how it ended. Hooks of the flow: they are no step and cannot fail it."""

from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun

from tasks.clients.ping import Ping, send_ping
from tasks.settings import load_settings


def tell_begun(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Say that a run began."""
    _tell(Ping.START, flow_run)


def tell_done(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Say that a run went through; how the patient is, is in its report."""
    _tell(Ping.SUCCESS, flow_run)


def tell_broken(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Say that our own tool broke."""
    _tell(Ping.FAIL, flow_run)


def _tell(word: Ping, run: FlowRun) -> None:
    url = load_settings().ping_url
    if url is not None:
        send_ping(url.get_secret_value(), word, str(run.id))
