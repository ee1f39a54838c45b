"""Where everything of one stack lives. Paths only; nothing is read or written here."""

import os
from dataclasses import dataclass
from pathlib import Path

from tasks.settings import DEFAULT_STATE_DIR, PREFIX

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class StateDir:
    """The files under one state directory (`RUNBOOK_STATE_DIR`), all absolute."""

    root: Path

    @property
    def stack_file(self) -> Path:
        """Name what `up` started: pids, start times, ports."""
        return self.root / "stack.json"

    @property
    def lock_file(self) -> Path:
        """Name the lock that keeps two `up` or `down` from working at once."""
        return self.root / "stack.lock"

    @property
    def settings_file(self) -> Path:
        """Name the flows' settings, written by `up`."""
        return self.root / "runbook.toml"

    @property
    def prefect_home(self) -> Path:
        """Name the Prefect home of this stack, never the user's."""
        return self.root / "prefect"

    @property
    def database_file(self) -> Path:
        """Name Prefect's SQLite file."""
        return self.prefect_home / "prefect.db"

    @property
    def server_file(self) -> Path:
        """Name what the Prefect server stands on; it holds passwords."""
        return self.root / "prefect-server.json"

    @property
    def login_file(self) -> Path:
        """Name the login that `up` made for this stack."""
        return self.root / "prefect-login"

    @property
    def incidents_file(self) -> Path:
        """Name the incident ledger."""
        return self.root / "incidents.jsonl"

    @property
    def releases(self) -> Path:
        """Name the order service's releases."""
        return self.root / "releases"

    @property
    def order_service(self) -> Path:
        """Name the order service's own state."""
        return self.root / "order-service"

    @property
    def gateways_file(self) -> Path:
        """Name the addresses of the gateways, for the order service."""
        return self.order_service / "gateways.json"

    @property
    def token_file(self) -> Path:
        """Name the order service's control token."""
        return self.order_service / "control-token"

    @property
    def events_login_file(self) -> Path:
        """Name what lets the order service's events into an authenticated Prefect server."""
        return self.order_service / "events-login"

    @property
    def alert_token_file(self) -> Path:
        """Name the token of the alert receiver, for Alertmanager."""
        return self.root / "monitoring" / "alert-token"

    @property
    def pid_file(self) -> Path:
        """Name the order service's pid file."""
        return self.order_service / "order-service.pid"

    @property
    def service_log(self) -> Path:
        """Name the order service's own log of JSON lines."""
        return self.order_service / "logs" / "order-service.jsonl"

    def gateway(self, name: str) -> Path:
        """Name one gateway's folder."""
        return self.root / "gateways" / name

    def log(self, part: str) -> Path:
        """Name the file that takes what a part writes to stdout and stderr."""
        return self.root / "logs" / f"{part}.log"


def find_state_dir() -> StateDir:
    """Find the state directory: `RUNBOOK_STATE_DIR`, else `var` in the current folder."""
    return StateDir(Path(os.environ.get(f"{PREFIX}STATE_DIR") or DEFAULT_STATE_DIR).resolve())
