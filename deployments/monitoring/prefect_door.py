"""Start a triage on the Prefect server, over its HTTP API: importing Prefect would cost this process three seconds."""

import base64
import os
from collections.abc import Mapping

from deployments.local_http import ask
from deployments.monitoring.alerts import TriageOrder
from tasks.model.errors import Code, RunbookError

DEPLOYMENT = "triage/manual"
TIMEOUT_S = 5.0


def start_triage(order: TriageOrder, variables: Mapping[str, str] | None = None) -> str:
    """Create the flow run, or find the one that these alerts started already; the server keeps the key.

    Errors: `PREFECT_UNREACHABLE`, retryable: Alertmanager sends again.
    """
    found = os.environ if variables is None else variables
    api = found.get("PREFECT_API_URL", "").rstrip("/")
    if not api:
        raise _unreachable("no address; set PREFECT_API_URL")
    headers = authorization(found)
    deployment = ask(f"{api}/deployments/name/{DEPLOYMENT}", timeout_s=TIMEOUT_S, headers=headers)
    identity = deployment.get("id") if isinstance(deployment, dict) else None
    if identity is None:
        raise _unreachable(f"no deployment {DEPLOYMENT}; see the server, and `prefect deploy --all`")
    body = {
        "parameters": order.parameters,
        "idempotency_key": order.key,
        "state": {"type": "SCHEDULED"},
        "tags": ["alert"],
    }
    run = ask(f"{api}/deployments/{identity}/create_flow_run", body, TIMEOUT_S, headers)
    if not isinstance(run, dict) or "id" not in run:
        raise _unreachable(f"{str(run)[:200]}; see the server's log")
    return str(run["id"])


def workers_page(variables: Mapping[str, str] | None = None) -> str | None:
    """Name the page of the Prefect UI that shows which worker was last heard of, and when."""
    found = os.environ if variables is None else variables
    ui = found.get("PREFECT_UI_URL") or found.get("PREFECT_API_URL", "").rstrip("/").removesuffix("/api")
    return f"{ui.rstrip('/')}/work-pools" if ui else None


def authorization(variables: Mapping[str, str]) -> dict[str, str]:
    """Write the header that Prefect's own client would send, from the same variables."""
    if key := variables.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if words := variables.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
    return {}


def _unreachable(found: str) -> RunbookError:
    return RunbookError(Code.PREFECT_UNREACHABLE, f"expected a flow run was {found}", retryable=True)
