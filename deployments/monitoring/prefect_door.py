"""Start a triage on the Prefect server, over its HTTP API: importing Prefect would cost this process three seconds."""

import os
from collections.abc import Mapping

from deployments.monitoring.alerts import TriageOrder
from deployments.prefect_api.client import door_of
from deployments.prefect_api.create_runs import RunOrder, create_run
from tasks.model.errors import Code, RunbookError

DEPLOYMENT = "triage/do-triage"


def start_triage(order: TriageOrder, variables: Mapping[str, str] | None = None, queue: str | None = None) -> str:
    """Create the flow run, or find the one that these alerts started already; the server keeps the key.

    Errors: `PREFECT_UNREACHABLE`, retryable: Alertmanager sends again.
    """
    door = door_of(os.environ if variables is None else variables, queue)
    if door is None:
        raise RunbookError(
            Code.PREFECT_UNREACHABLE, "expected a flow run was no address; set PREFECT_API_URL", retryable=True
        )
    made = RunOrder(deployment=DEPLOYMENT, parameters=order.parameters, key=order.key, tags=("alert",))
    return create_run(door, made, tries_count=1)


def workers_page(variables: Mapping[str, str] | None = None) -> str | None:
    """Name the page of the Prefect UI that shows which worker was last heard of, and when."""
    found = os.environ if variables is None else variables
    ui = found.get("PREFECT_UI_URL") or found.get("PREFECT_API_URL", "").rstrip("/").removesuffix("/api")
    return f"{ui.rstrip('/')}/work-pools" if ui else None
