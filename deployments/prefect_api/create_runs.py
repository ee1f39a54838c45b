"""Create a flow run of a deployment over Prefect's HTTP API: importing Prefect would cost a command three seconds.

A server that is busy for a moment is asked again, under one key, so that a person's order is neither lost nor doubled.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from pydantic import Field

from deployments.prefect_api.client import PrefectDoor, is_refused
from tasks.model.errors import Code, RunbookError
from tasks.model.values import Value

TRIES_COUNT = 4
PAUSE_S = 0.5
TIMEOUT_S = 5.0
# A server on which `prefect deploy --all` was not run since the names changed still takes alerts.
FORMER_NAMES = {"triage/do-triage": "triage/manual"}
# What Prefect's server says of itself, not of the question.
BUSY = ("Service Unavailable", "Internal Server Error")


class RunOrder(Value):
    """Which deployment, with which parameters; two orders with one key are one run."""

    deployment: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    key: str = Field(default_factory=lambda: f"order-{uuid4()}")
    tags: tuple[str, ...] = ()


def create_run(door: PrefectDoor, order: RunOrder, tries_count: int = TRIES_COUNT) -> str:
    """Create the run, or find the one that this order's key has made already, and give its id.

    Errors: `PREFECT_UNREACHABLE`, retryable, when the server has no such deployment, refuses, or does not answer.
    """
    name = door.deployment(order.deployment)
    deployment = _deployment(door, name, tries_count)
    if former := FORMER_NAMES.get(order.deployment, "") if _is_missing(deployment) else "":
        found = _deployment(door, door.deployment(former), tries_count)
        deployment = found if "id" in found else deployment
    if is_refused(deployment):
        raise _unreachable(f"refused api={door.url}; set PREFECT_API_AUTH_STRING to the server's USER:PASSWORD")
    if "id" not in deployment:
        raise _unreachable(f"no deployment {name} ({_short(deployment)}); see `prefect deploy --all`")
    body = {
        # What is not said is left out: a list of words to choose from knows no null.
        "parameters": {name: value for name, value in order.parameters.items() if value is not None},
        "idempotency_key": order.key,
        "state": {"type": "SCHEDULED"},
        "tags": list(order.tags),
    }
    path = f"/deployments/{deployment['id']}/create_flow_run"
    run = _patiently(lambda: door.ask(path, body, TIMEOUT_S), tries_count)
    if "id" not in run:
        raise _unreachable(f"{_short(run)}; see the server's log")
    return str(run["id"])


def _deployment(door: PrefectDoor, name: str, tries_count: int) -> dict[str, Any]:
    return _patiently(lambda: door.ask(f"/deployments/name/{name}", timeout_s=TIMEOUT_S), tries_count)


def _is_missing(deployment: dict[str, Any]) -> bool:
    return "id" not in deployment and "not found" in _short(deployment).lower()


def _patiently(call: Callable[[], Any], tries_count: int) -> dict[str, Any]:
    """Call until there is an answer that settles it: what was asked for, or a refusal that another try would repeat."""
    answer: Any = None
    for number in range(tries_count):
        if number:
            time.sleep(PAUSE_S)
        answer = call()
        if isinstance(answer, dict) and _is_final(answer):
            return answer
    return answer if isinstance(answer, dict) else {"detail": "no answer"}


def _is_final(answer: dict[str, Any]) -> bool:
    return answer.get("exception_message") not in BUSY and answer.get("detail") not in BUSY


def _short(answer: dict[str, Any]) -> str:
    return str(answer.get("detail") or answer.get("exception_detail") or answer.get("exception_message") or answer)[
        :200
    ]


def _unreachable(found: str) -> RunbookError:
    return RunbookError(Code.PREFECT_UNREACHABLE, f"expected a flow run, found {found}", retryable=True)
