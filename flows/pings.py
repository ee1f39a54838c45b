"""Ping the dead man's switch when a run begins and ends. Hooks of the flow: they are no step and cannot fail it."""

from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun

from tasks.clients.prefect.healthchecks_ping import Ping, send_ping
from tasks.settings import load_settings


def tell_begun(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    _tell(Ping.START, flow_run)


def tell_done(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Report success: the run went through; how the service is, is in its report."""
    _tell(Ping.SUCCESS, flow_run)


def tell_broken(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - the signature is Prefect's
    """Report failure: our own tool broke."""
    _tell(Ping.FAIL, flow_run)


def _tell(word: Ping, run: FlowRun) -> None:
    url = load_settings().ping_url
    if url is not None:
        send_ping(url.get_secret_value(), word, str(run.id))
