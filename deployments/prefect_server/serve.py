"""Run the Prefect server of the local stack: on loopback, or with a login."""

import importlib
import os
import sys
from collections.abc import Mapping

import uvicorn

from deployments.prefect_server.own_origin import ANY_ORIGIN, is_loopback
from deployments.stack.forked import in_copy
from deployments.views.words import complain
from tasks.model.errors import Code

AUTHENTICATION = "PREFECT_SERVER_API_AUTH_STRING"
ORIGINS = "PREFECT_SERVER_CORS_ALLOWED_ORIGINS"
MIGRATE = "PREFECT_SERVER_DATABASE_MIGRATE_ON_START"
# Named, not imported: it takes seconds, and a refusal comes first.
APP_MODULE, INTERNALS = "deployments.prefect_server.app", "deployments.prefect_server.internals"
KEEP_ALIVE_S = 5
# What Prefect's server does by the clock, one beside the other half of what it costs at rest. Nothing of ours waits for
# it: a worker hears of runs by events, and an approval watches its own time. Steps are written together.
UNHURRIED = {
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "15",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "15",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "15",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    # Whole seconds: of half a one Prefect keeps nothing, and then writes without a pause.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}


def may_listen(host: str, variables: Mapping[str, str]) -> bool:
    """Say whether the server may listen there: whoever reaches it unasked can pause trading and restart the service."""
    return bool(variables.get(AUTHENTICATION)) or is_loopback(host)


def browser_variables(host: str, port: int, variables: Mapping[str, str]) -> dict[str, str]:
    """Say to Prefect's server which pages may ask it: its own, and the origins that a person named, but never all."""
    named = variables.get(ORIGINS, ANY_ORIGIN)
    shown = f"[{host}]" if ":" in host else host
    own = f"http://{shown}:{port}"
    return {
        "PREFECT_SERVER_API_HOST": host,
        ORIGINS: own if ANY_ORIGIN in named else named,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    }


def main() -> None:
    """Serve on the host and port of the command line until SIGTERM.

    Errors: exit 2 and one line for an open address without authentication.
    """
    host, port = sys.argv[1], int(sys.argv[2])
    if not may_listen(host, os.environ):
        complain(
            f"{Code.BAD_SETTING}: expected {AUTHENTICATION} where others can reach the server was none host={host}; "
            "set it to USER:PASSWORD, or listen on 127.0.0.1"
        )
        sys.exit(2)
    os.environ.update(browser_variables(host, port, os.environ))
    # A trading host reports to nobody outside, unless a person says so.
    for name, value in {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", **UNHURRIED}.items():
        os.environ.setdefault(name, value)
    bring_database_up_to_date()
    uvicorn.run(
        f"{APP_MODULE}:application",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
    )


def bring_database_up_to_date() -> None:
    """Migrate the database as Prefect does at each start, but in a copy of this process: 30 MB less stay in the server.

    Errors: SystemExit where it fails; the copy has said why.
    """
    if os.environ.get(MIGRATE, "true").lower() not in {"true", "1", "yes", "on"}:
        return
    os.environ[MIGRATE] = "false"
    importlib.import_module(APP_MODULE)
    in_copy(importlib.import_module(INTERNALS).migrate)
