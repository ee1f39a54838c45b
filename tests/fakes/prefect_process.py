"""A Prefect server of the tests' own, which they may end and start again."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from filelock import FileLock

from deployments.local_http import answers
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port

# What a server does besides keeping the runs that it is told of: two thirds of its CPU, of no use to who asks a flow
# for what it did.
KEEPS_RUNS_ALONE = {
    "PREFECT_UI_ENABLED": "false",
    **{
        f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
        for service in (
            "CANCELLATION_CLEANUP",
            "EVENT_PERSISTER",
            "FOREMAN",
            "LATE_RUNS",
            "PAUSE_EXPIRATIONS",
            "SCHEDULER",
            "TASK_RUN_RECORDER",
            "TRIGGERS",
        )
    },
}


@contextmanager
def server(home: Path, port: int, **variables: str) -> Iterator[str]:
    """Run a Prefect server, with more variables, on a database that outlives it."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.prefect_server", "127.0.0.1", str(port)],
            env={**kept, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", **variables},
            stdout=log,
            stderr=log,
        )
    try:
        api = f"http://127.0.0.1:{port}/api"
        eventually(lambda: answers(f"{api}/health"), within_s=90, every_s=0.2)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            # It waits for calls that nobody will end; to those who need it, it is gone either way.
            process.kill()
            process.wait(10)


@contextmanager
def migrated_server(home: Path, session: Path, **variables: str) -> Iterator[str]:
    """Run a server on a database that one process of the session has migrated for all: it takes most of a start."""
    migrated = session / "migrated"
    with ExitStack() as running:
        with FileLock(session / "migrated.lock"):
            if migrated.exists():
                copy_database(migrated, home)
            api = running.enter_context(server(home, free_port(), **variables))
            if not migrated.exists():
                copy_database(home, migrated)
        yield api


def copy_database(source: Path, target: Path) -> None:
    """Copy the database of one Prefect home into a new one, also while a server works on it."""
    target.mkdir(exist_ok=True)
    with (
        closing(sqlite3.connect(source / "prefect.db")) as original,
        closing(sqlite3.connect(target / "prefect.db")) as copy,
    ):
        original.backup(copy)
