"""A Prefect server of one test session, on a database of its own."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deployments.stack.local_http import answers
from tasks.model.errors import CannotAct, Code

DATABASE = "prefect.db"
START_TIMEOUT_S, STOP_TIMEOUT_S = 90.0, 30.0
# What a server does besides keeping the runs that it hears of: two thirds of its CPU, of no use to who asks a flow
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
    """Run a Prefect server, with more variables, on a database that outlives it.

    Errors: `START_FAILED` where it does not answer.
    """
    process = started(home, port, **variables)
    try:
        yield answering(process, port)
    finally:
        stopped(process)


def started(home: Path, port: int, **variables: str) -> subprocess.Popen[bytes]:
    """Start a server, and go on at once."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.prefect_server", "127.0.0.1", str(port)],
            env={**kept, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", **variables},
            stdout=log,
            stderr=log,
        )


def answering(process: subprocess.Popen[bytes], port: int) -> str:
    """Wait until a server answers, and give the address of its API.

    Errors: `START_FAILED`.
    """
    api, deadline = f"http://127.0.0.1:{port}/api", time.monotonic() + START_TIMEOUT_S
    while not answers(f"{api}/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            found = f"exit {process.returncode}" if process.poll() is not None else f"none in {START_TIMEOUT_S:g} s"
            raise CannotAct(Code.START_FAILED, f"expected an answer of Prefect's server was {found}; read its log")
        time.sleep(0.1)
    return api


def stopped(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # It waits for calls that nobody will end; to those who need it, it is gone either way.
        process.kill()
        process.wait(10)


def copy_database(source: Path, target: Path) -> None:
    """Copy the database of one Prefect home into a new one, also while a server works on it."""
    target.mkdir(exist_ok=True)
    with (
        closing(sqlite3.connect(source / DATABASE)) as original,
        closing(sqlite3.connect(target / DATABASE)) as copy,
    ):
        original.backup(copy)
