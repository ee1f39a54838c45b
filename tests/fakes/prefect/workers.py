"""A real worker of either type on a real server, driven over Prefect's API as its UI would drive it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.polling import eventually

REPOSITORY = Path(__file__).resolve().parents[3]
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
FLOWS = "tests.fakes.prefect.worker_flows"
# A deployment of which something is pulled first cannot be forked.
PULLED = {"pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(REPOSITORY)}}]}


@dataclass
class Lab:
    """One work pool with one worker, and the files in which its flows leave their traces."""

    api: str
    worker_type: str
    folder: Path
    pool: str = field(default_factory=lambda: f"pool-{uuid.uuid4().hex[:8]}")
    environment: dict[str, str] = field(default_factory=dict)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    worker_api: str | None = None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API; a server that is busy for a moment is asked again."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.api}{path}", data=data, method=method, headers={"Content-Type": "application/json"}
        )
        answer: list[Any] = []

        def answered() -> bool:
            try:
                with urllib.request.urlopen(request, timeout=10) as told:  # noqa: S310
                    text = told.read()
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error
                return False
            except OSError:
                # It starts, or is too busy to answer in time; what may have been done is not asked for again.
                if method != "GET":
                    raise
                return False
            answer.append(json.loads(text) if text else None)
            return True

        eventually(answered, within_s=15, every_s=0.2)
        return answer[0]

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the worker as a person would, and wait until the server has heard of it."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", self.pool, "--type", self.worker_type]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
        name = f"worker-{len(self.processes)}"
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--name", name, *words],
                cwd=self.folder,
                env={
                    **kept,
                    "PREFECT_API_URL": self.worker_api or self.api,
                    "PREFECT_HOME": str(self.folder / "home"),
                    "PREFECT_WORKER_QUERY_SECONDS": "1",
                    "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(self.folder))),
                    **self.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        eventually(lambda: self._is_online(name), within_s=60, every_s=0.2)
        return process

    def _is_online(self, name: str) -> bool:
        try:
            found = self.call("POST", f"/work_pools/{self.pool}/workers/filter", {})
        except AssertionError:
            # The worker itself makes the pool.
            return False
        return any(one["name"] == name and one["status"] == "ONLINE" for one in found)

    def deploy(self, flow: str, **more: Any) -> str:
        """Deploy one of the flows, by its module path."""
        name = flow.rpartition(".")[2]
        flow_id = self.call("POST", "/flows/", {"name": name})["id"]
        body = {
            "name": uuid.uuid4().hex[:8],
            "flow_id": flow_id,
            "entrypoint": flow if "." in flow else f"{FLOWS}.{flow}",
            "work_pool_name": self.pool,
            "parameter_openapi_schema": {"type": "object", "properties": {}},
            **more,
        }
        return str(self.call("POST", "/deployments/", body)["id"])

    def trigger(self, deployment: str, **parameters: Any) -> str:
        """Ask for a run now."""
        given = {"file": str(self.traces), **parameters}
        return str(self.call("POST", f"/deployments/{deployment}/create_flow_run", {"parameters": given})["id"])

    def run(self, flow: str, **parameters: Any) -> str:
        """Deploy a flow and ask for a run of it."""
        return self.trigger(self.deploy(flow), **parameters)

    def cancel(self, run: str) -> None:
        """Cancel a run as the UI does."""
        self.call("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})

    def state(self, run: str) -> str:
        """Give the type of a run's state."""
        return str(self.call("GET", f"/flow_runs/{run}")["state"]["type"])

    def ended(self, run: str, within_s: float = 40.0) -> str:
        """Wait for the end of a run, and give its state."""
        eventually(lambda: self.state(run) in FINAL, within_s=within_s, every_s=0.05)
        return self.state(run)

    def reached(self, run: str, state: str, within_s: float = 40.0) -> None:
        """Wait until a run is in a state."""
        eventually(lambda: self.state(run) == state, within_s=within_s, every_s=0.05)

    def states(self, run: str) -> list[str]:
        """Give all states that a run went through."""
        found = self.call("GET", f"/flow_run_states/?flow_run_id={run}")
        return [one["type"] for one in sorted(found, key=lambda one: str(one["timestamp"]))]

    def logs(self, run: str) -> list[str]:
        """Give what a run has logged to the server."""
        question = {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200}
        return [one["message"] for one in self.call("POST", "/logs/filter", question)]

    @property
    def traces(self) -> Path:
        """Name the file in which the flows leave their traces."""
        return self.folder / "traces.jsonl"

    def left(self, **facts: Any) -> list[dict[str, Any]]:
        """Give the traces that say all of this."""
        try:
            lines = self.traces.read_text("utf-8").splitlines()
        except OSError:
            return []
        found = [json.loads(line) for line in lines]
        return [one for one in found if facts.items() <= one.items()]

    def trace(self, within_s: float = 40.0, **facts: Any) -> dict[str, Any]:
        """Wait for a trace."""
        eventually(lambda: self.left(**facts), within_s=within_s)
        return self.left(**facts)[-1]

    def stop(self) -> None:
        """Stop every worker, gently first."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextmanager
def lab(api: str, worker_type: str, folder: Path, worker_api: str | None = None, **environment: str) -> Iterator[Lab]:
    """Run a worker of a type until the block ends; `worker_api` leads it to the server another way than the test."""
    made = Lab(api, worker_type, folder, environment=environment, worker_api=worker_api)
    try:
        made.start()
        yield made
    finally:
        made.stop()
