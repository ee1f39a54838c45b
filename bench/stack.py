"""A local stack of a bench's own: a folder that is gone afterwards, free ports, SQLite or a private PostgreSQL."""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from bench.figures import Database, Run
from bench.machine import family, held_mb
from bench.report import REPOSITORY
from deployments.prefect_server.server_settings import kept
from deployments.stack.environment import api_url
from deployments.stack.local_http import with_login
from deployments.stack.ports import SERVER
from deployments.stack.stack_file import StackRecord, read_stack
from deployments.stack.state_dir import StateDir
from tests.fakes.stack.postgres import missing, postgres

COMMAND = (sys.executable, "-c", "from deployments.cli import main; main()")
NAME = "order-service"
SCHEDULED_S, TIMEOUT_S, ENDS_WITHIN_S = 3.0, 30.0, 15.0
# Each question is work for the server that the run waits for, too.
POLL_S = 0.5
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
HTTP = httpx.Client(timeout=TIMEOUT_S, trust_env=False)


class Server(NamedTuple):
    """A database server for one bench: empty values for SQLite, which has none; and a Redis where it has one."""

    url: str = ""
    pid: int | None = None
    redis_url: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The options of `runbook up` for it."""
        options = {"--database-url": self.url, "--redis-url": self.redis_url}
        return tuple(word for option, url in options.items() if url for word in (option, url))


@dataclass(frozen=True)
class BenchStack:
    """A stack that runs: its files, its API, and where its database is."""

    state: StateDir
    server: Server

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
        url, login = api_url(self.record.ports), kept(self.state).server_auth
        return with_login(url, login.get_secret_value()) if login else url

    @property
    def client_variables(self) -> dict[str, str]:
        """What leads another Prefect process to the stack's server, and lets it in."""
        home = {"PREFECT_API_URL": api_url(self.record.ports), "PREFECT_HOME": str(self.state.prefect_home)}
        return {**home, **kept(self.state).client_variables}

    @property
    def database_url(self) -> str:
        return self.server.url or f"sqlite+aiosqlite:///{self.state.database_file.as_posix()}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask Prefect's API once, as any client would.

        Errors: httpx's own HTTPError where there is no answer, or one of 400 and above.
        """
        answer = HTTP.request(method, f"{self.api}{path}", json=body).raise_for_status()
        return answer.json() if answer.content else None

    def deployment_id(self, name: str) -> str:
        return str(self.call("GET", f"/deployments/name/{name}")["id"])

    def run_to_end(self, deployment: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Trigger a run, wait for its end, and give it; `took_s` is how long it took.

        Units: `took_s` in seconds, from before the trigger to the end that Prefect keeps of it, whoever ran it; both
        are of this machine's clock. Errors: SystemExit where the run does not complete.
        """
        began_at = datetime.now(UTC)
        body = {"parameters": parameters or {}, "idempotency_key": uuid.uuid4().hex}
        run = self.call("POST", f"/deployments/{deployment}/create_flow_run", body)
        while run["state"]["type"] not in FINAL:
            time.sleep(POLL_S)
            run = self.call("GET", f"/flow_runs/{run['id']}")
        expect_completed(run)
        return {**run, "took_s": since(began_at, run["end_time"])}

    def runbook(self, *words: str) -> str:
        """Run one command of `runbook` on this stack and give its answer.

        Errors: subprocess's own CalledProcessError where it fails.
        """
        return runbook(self.state.root, *words)

    def worker_pid(self) -> int:
        return int(json.loads(self.runbook("status", "--json"))["worker"]["pid"])

    def server_family(self) -> list[psutil.Process]:
        return family(self.record.parts[SERVER].identity.pid)

    def database_family(self) -> list[psutil.Process]:
        """Find the processes of the database; SQLite has none."""
        return family(self.server.pid) if self.server.pid else []

    def memory_mb(self) -> dict[str, float]:
        """Give what each part holds: the gateways as one, the worker with its fork server."""
        record, held = self.record, defaultdict[str, float](float)
        for name, part in record.parts.items():
            held["gateways" if f"{name}-admin" in record.ports else name] += held_mb(part.identity.pid)
        if self.server.pid:
            held["database"] = held_mb(self.server.pid)
        return dict(held)

    def pause_schedule(self) -> None:
        """Stop the triage of every minute."""
        found = self.deployment_id("triage/every-minute")
        self.call("PATCH", f"/deployments/{found}", {"paused": True})
        # A scheduler that read the deployment before writes its runs after; each change deletes what is scheduled.
        time.sleep(SCHEDULED_S)
        self.call("PATCH", f"/deployments/{found}", {"paused": True})


@contextmanager
def bench_stack(run: Run, database: Database | None = None, *, scheduled: bool = False) -> Iterator[BenchStack]:
    """Bring a whole stack up for the block, in a folder and on a database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        database_server(database or run.database) as server,
        stack_in(run, Path(folder), server, scheduled=scheduled) as stack,
    ):
        yield stack


@contextmanager
def stack_in(run: Run, folder: Path, server: Server, *, scheduled: bool = False) -> Iterator[BenchStack]:
    """Bring a whole stack up in a folder; unless asked for, no minute starts a triage of its own."""
    words = ("up", "--detach", *server.words)
    try:
        try:
            runbook(folder, *words)
        except subprocess.CalledProcessError:
            # Another stack may have taken a port between the moment it was found free and the moment it was used.
            runbook(folder, "down")
            runbook(folder, *words)
        stack = BenchStack(StateDir(folder), server)
        if not scheduled:
            stack.pause_schedule()
        with run.watching(stack.record.mark, server.pid):
            yield stack
    finally:
        runbook(folder, "down")


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
        yield Server(url, int((cluster.folder / "data" / "postmaster.pid").read_text("utf-8").split()[0]))


@contextmanager
def process_on(stack: BenchStack, *words: str, **variables: str) -> Iterator[int]:
    """Run a Python process on the stack's server and settings; what it writes is in `bench.log` beside them."""
    own = {"PYTHONPATH": str(REPOSITORY), "RUNBOOK_CONFIG": str(stack.state.settings_file)}
    env = {**environment("PREFECT_"), **own, "RUNBOOK_STATE_DIR": str(stack.state.root), **variables}
    with (stack.state.root / "bench.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *words], env=env, cwd=stack.state.root, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        # Ask, then kill: a stock worker may wait for a connection that stood still with it.
        left = family(process.pid)
        process.terminate()
        _, alive = psutil.wait_procs(left, ENDS_WITHIN_S)
        for one in alive:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait(ENDS_WITHIN_S)


def runbook(folder: Path, *words: str) -> str:
    """Run one command of `runbook` on the stack of a folder."""
    own = {"RUNBOOK_STATE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)}
    env = {**environment("RUNBOOK_", "PREFECT_"), **own}
    return subprocess.run([*COMMAND, *words], env=env, stdout=subprocess.PIPE, check=True, text=True).stdout


def environment(*foreign: str) -> dict[str, str]:
    """Give this process's environment, without what would lead to another stack."""
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def expect_completed(run: dict[str, Any]) -> None:
    """Refuse figures of a run that went wrong.

    Errors: SystemExit.
    """
    state = run["state"]
    if state["type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed run was {state['type']} {state.get('message')}")


def since(start: datetime, moment: str) -> float:
    """Count to a time that Prefect keeps. Units: seconds."""
    return (datetime.fromisoformat(moment) - start).total_seconds()


def wait_for(holds: Callable[[], Any], within_s: float, error: str, every_s: float = 0.2) -> Any:
    """Poll until it holds, and give what it found.

    Errors: SystemExit with `error` when it never does.
    """
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise SystemExit(error)
        time.sleep(every_s)
    return found
