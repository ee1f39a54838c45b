"""The environments of the stack's processes: the user's own, without what would leak into a part of ours."""

import os
import secrets

from deployments.prefect_server.retention import retention_variables
from deployments.prefect_server.server_settings import ServerSettings, forget_variables
from deployments.stack.ports import HOST, SERVER
from deployments.stack.state_dir import StateDir
from tasks.clients.process.marks import STACK_MARK, STATE_DIR_MARK

# Another Prefect's profile, another Python's path or another stack's service settings are not ours to obey.
FOREIGN = ("PREFECT_", "ORDER_SERVICE_", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "UVICORN_")


def new_mark() -> str:
    """Make the mark that every process of one stack carries, down to what a flow restarts."""
    return secrets.token_hex(8)


def adopt_mark(mark: str, state: StateDir) -> None:
    """Clean our own environment for the parts that inherit it, and put the mark and the stack's place into it."""
    for name in [name for name in os.environ if name.upper().startswith(FOREIGN)]:
        del os.environ[name]
    forget_variables()
    os.environ[STACK_MARK] = mark
    os.environ[STATE_DIR_MARK] = str(state.root)


def prefect_environment(state: StateDir, ports: dict[str, int]) -> dict[str, str]:
    """Point every Prefect process at this stack's server, home and database."""
    home = state.prefect_home
    return {
        "DO_NOT_TRACK": "1",
        # glibc gives each thread that allocates an arena of its own, and few are ever given back.
        "MALLOC_ARENA_MAX": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": api_url(ports),
        # Links to runs lead to the UI that the server shows first: the older one beside it opens no drop-down by mouse.
        "PREFECT_UI_URL": f"http://{HOST}:{ports[SERVER]}/v2",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_COLORS": "false",
    }


def server_environment(
    state: StateDir, ports: dict[str, int], settings: ServerSettings | None = None
) -> dict[str, str]:
    """Add what the server alone needs: its database, its address, and retention."""
    return {
        **prefect_environment(state, ports),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(ports[SERVER]),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{state.database_file.as_posix()}",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Who holds a place under a concurrency limit survives a restart of the server.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        **retention_variables(),
        # How late the dead-man's switch may notice that its time is up.
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
        **(settings or ServerSettings()).server_variables,
    }


def worker_environment(
    state: StateDir, ports: dict[str, int], settings: ServerSettings | None = None
) -> dict[str, str]:
    """Add what the worker and its flow runs need: the flows' settings, and a quick poll."""
    return {
        **prefect_environment(state, ports),
        "RUNBOOK_CONFIG": str(state.settings_file),
        "RUNBOOK_STATE_DIR": str(state.root),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        # A scheduled run's process starts this long before its minute, so that the triage itself is on time.
        "PREFECT_WORKER_PREFETCH_SECONDS": "10",
        # The stack's own server asks for no such token; asking it costs every run two calls.
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "INFO",
        **(settings or ServerSettings()).client_variables,
    }


def api_url(ports: dict[str, int]) -> str:
    """Name the Prefect API of this stack."""
    return f"http://{HOST}:{ports[SERVER]}/api"
