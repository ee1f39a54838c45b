"""Ask Prefect's API as any client would: with the standard library, one call after the other."""

import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any

from deployments.local_http import ask, without_login

FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
TIMEOUT_S = 30.0
# Each question is work for the server that the run waits for, too.
POLL_S = 0.5


def call(api: str, method: str, path: str, body: object = None) -> Any:
    """Make one call and give its JSON answer.

    Errors: urllib's own HTTPError on an answer of 400 and above.
    """
    data = None if body is None else json.dumps(body).encode()
    url, login = without_login(f"{api}{path}")
    headers = {"Content-Type": "application/json", **login}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def find_deployment(api: str, name: str) -> str | None:
    """Find the id of a deployment, named as `flow/deployment`."""
    try:
        return str(call(api, "GET", f"/deployments/name/{name}")["id"])
    except urllib.error.HTTPError:
        return None


def deployment_id(api: str, name: str) -> str:
    """Find the id of a deployment that has to be there.

    Errors: SystemExit where it is not.
    """
    found = find_deployment(api, name)
    if found is None:
        raise SystemExit(f"NO_DEPLOYMENT: expected {name} was none at {api}; see the log of the worker")
    return found


def run_to_end(api: str, deployment: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Trigger a run, wait for its end, and give it; `took_s` is how long it took.

    Units: `took_s` in seconds, from before the trigger to the end that Prefect keeps of it, whoever ran it; both are of
    this machine's clock. Errors: SystemExit where the run does not complete.
    """
    began_at = datetime.now(UTC)
    body = {"parameters": parameters or {}, "idempotency_key": uuid.uuid4().hex}
    run = call(api, "POST", f"/deployments/{deployment}/create_flow_run", body)
    while not has_ended(run):
        time.sleep(POLL_S)
        run = ask(f"{api}/flow_runs/{run['id']}", timeout_s=TIMEOUT_S) or run
    expect_completed(run)
    return {**run, "took_s": (datetime.fromisoformat(run["end_time"]) - began_at).total_seconds()}


def has_ended(run: dict[str, Any]) -> bool:
    """Say whether a run has come to its end."""
    return (run.get("state") or {}).get("type") in FINAL


def expect_completed(run: dict[str, Any]) -> None:
    """Refuse figures of a run that went wrong.

    Errors: SystemExit.
    """
    state = run["state"]
    if state["type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed run was {state['type']} {state.get('message')}")
