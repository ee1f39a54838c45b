"""A local stack of a bench's own: a folder that is gone afterwards, free ports, SQLite or a private PostgreSQL."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from bench.measuring.machine import Elsewhere, family
from bench.measuring.prefect_calls import call, deployment_id
from deployments.environment import api_url
from deployments.local_http import with_login
from deployments.ports import SERVER
from deployments.server_settings import kept
from deployments.stack_file import StackRecord, read_stack
from deployments.state_dir import StateDir
from tests.fakes.postgres import missing, postgres

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from deployments.cli import main; main()")
SCHEDULED_S = 3.0
FOREIGN = ("RUNBOOK_", "PREFECT_")


class Database(StrEnum):
    """Where Prefect's server keeps its state."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class BenchStack:
    """A stack that runs: its files, its API, and where its database is."""

    state: StateDir
    database: Database
    database_url: str = ""
    database_pid: int | None = None

    @property
    def folder(self) -> Path:
        """The state directory."""
        return self.state.root

    @property
    def record(self) -> StackRecord:
        """What `up` started.

        Errors: SystemExit where nothing runs.
        """
        found = read_stack(self.state.stack_file)
        if found is None:
            raise SystemExit("NOT_UP: expected a stack was none; run the bench again")
        return found

    @property
    def api(self) -> str:
        """Prefect's API, with the login that lets us in."""
        login = kept(self.state).server_auth
        return with_login(api_url(self.record.ports), login.get_secret_value()) if login else api_url(self.record.ports)

    @property
    def mark(self) -> str:
        """What every process of the stack carries."""
        return self.record.mark

    def runbook(self, *words: str) -> str:
        """Run one command of `runbook` on this stack and give what it says.

        Errors: subprocess's own CalledProcessError where it fails.
        """
        return runbook(self.folder, *words)

    def status(self) -> Any:
        """Read `runbook status --json`."""
        return json.loads(self.runbook("status", "--json"))

    def elsewhere(self) -> Elsewhere:
        """Begin to measure what the machine does for others."""
        return Elsewhere(self.mark, self.database_pid)

    def database_family(self) -> list[psutil.Process]:
        """Find the processes of the database; SQLite has none."""
        return family(self.database_pid) if self.database_pid else []

    def schedule(self, *, on: bool) -> None:
        """Pause or resume the triage of every minute."""
        found = deployment_id(self.api, "triage/every-minute")
        call(self.api, "PATCH", f"/deployments/{found}", {"paused": not on})
        if not on:
            # A scheduler that read the deployment before writes its runs after; each change deletes what is scheduled.
            time.sleep(SCHEDULED_S)
            call(self.api, "PATCH", f"/deployments/{found}", {"paused": True})


@dataclass(frozen=True)
class Server:
    """A database server for one bench: empty values for SQLite, which has none."""

    url: str = ""
    pid: int | None = None


@contextmanager
def bench_stack(database: Database, *, scheduled: bool = False) -> Iterator[BenchStack]:
    """Bring a whole stack up for the block, in a folder and on a database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        database_server(database) as server,
        stack_in(Path(folder), database, server, scheduled=scheduled) as stack,
    ):
        yield stack


@contextmanager
def stack_in(folder: Path, database: Database, server: Server, *, scheduled: bool = False) -> Iterator[BenchStack]:
    """Bring a whole stack up in a folder; unless asked for, no minute starts a triage of its own."""
    words = ("--database-url", server.url) if server.url else ()
    try:
        _up(folder, words)
        stack = BenchStack(StateDir(folder), database, server.url, server.pid)
        stack.schedule(on=scheduled)
        yield stack
    finally:
        runbook(folder, "down")


def _up(folder: Path, words: tuple[str, ...]) -> None:
    # Another stack of this machine may take a port between the moment it is found free and the moment it is used.
    try:
        runbook(folder, "up", "--detach", *words)
    except subprocess.CalledProcessError:
        runbook(folder, "down")
        runbook(folder, "up", "--detach", *words)


@contextmanager
def database_server(database: Database) -> Iterator[Server]:
    """Start what the database needs: nothing, or a durable cluster of the bench's own.

    Errors: SystemExit where PostgreSQL is not installed.
    """
    if database is Database.SQLITE:
        yield Server()
        return
    if missing():
        raise SystemExit(f"NO_POSTGRESQL: expected a PostgreSQL to measure with was none: {missing()}")
    with postgres(durable=True) as cluster, cluster.database() as url:
        pid = int((cluster.folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        yield Server(url, pid)


def runbook(folder: Path, *words: str) -> str:
    """Run one command of `runbook` on the stack of a folder."""
    done = subprocess.run([*COMMAND, *words], env=variables(folder), stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout


def variables(folder: Path) -> dict[str, str]:
    """Give this process's environment, without what would lead to another stack."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "RUNBOOK_STATE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)}


def port(stack: BenchStack) -> int:
    """Name the port of Prefect's server."""
    return stack.record.ports[SERVER]
