"""One test session: its Prefect server, the runner of its triages, and the stub of each scenario."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, cast

from deployments.ci.prefect_process import DATABASE, KEEPS_RUNS_ALONE, answering, copy_database, started, stopped
from deployments.ci.triage_runner import TriageJob
from deployments.ci.triage_seen import TriageSeen
from tasks.model.errors import CannotObserve, Code
from tasks.model.reports.report import TriageStory
from tasks.settings import config_path, load_settings

STUB = "order_service.stub"
SERVICE = "order-service"
TOKEN = "of-the-stub-alone"  # noqa: S105 - the stub asks for one, and it is no secret
LOOK = {"connect_timeout_s": 1.0, "health_timeout_s": 1.0, "metrics_timeout_s": 1.0, "order_timeout_s": 1.0}
RESTART = {"drain_timeout_s": 1.0, "confirm_for_s": 1.0, "confirm_timeout_s": 10.0}
# What says how a service speaks.
SPOKEN = {"health", "metrics", "orders", "synthetic_orders", "asset_classes", "limits"}
TRIAGE_TIMEOUT_S = 120.0


class Triages:
    """Run triages, several at once, and give what each of them saw."""

    def __init__(self, folder: Path, at_once_count: int, kept: Path) -> None:
        self._folder = folder
        # An empty database that an earlier session has migrated: that takes most of the start of a server.
        self._migrated = kept / f"prefect-{version('prefect')}"
        self._jobs: dict[str, TriageJob] = {}
        self._stack = ExitStack()
        try:
            self._runner = self._started(at_once_count)
        except BaseException:
            self._stack.close()
            raise

    def _started(self, at_once_count: int) -> "subprocess.Popen[str]":
        """Start the server and the runner at once: each takes seconds, most of them for its imports."""
        port, home, is_migrated = free_port(), self._folder / "prefect", (self._migrated / DATABASE).exists()
        if is_migrated:
            copy_database(self._migrated, home)
        server = started(home, port, **KEEPS_RUNS_ALONE)
        self._stack.callback(stopped, server)
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        variables |= {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        command = [sys.executable, "-m", "deployments.ci.triage_runner", str(at_once_count)]
        with (self._folder / "runner.log").open("ab") as log:
            runner = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        self._stack.callback(_ended, runner)
        answering(server, port)
        if not is_migrated:
            self._keep(home)
        return runner

    def _keep(self, home: Path) -> None:
        """Keep the migrated database whole or not at all; two sessions at once keep one of theirs."""
        making = self._migrated.with_name(f".{self._migrated.name}-{os.getpid()}")
        with suppress(OSError):
            copy_database(home, making)
            making.rename(self._migrated)
        shutil.rmtree(making, ignore_errors=True)

    def start_scenario(self, scenario: str, mode: str = "observe", service: str = "") -> str:
        """Start the stub in a scenario, and a triage of it; give the key by which it is read.

        With a service of `runbook.toml`, the stub speaks as that one is described.
        """
        key = f"{service or SERVICE}-{scenario}-{mode}"
        if key not in self._jobs:
            folder = self._folder / key
            folder.mkdir()
            described = as_described(service) if service else {}
            table = self._stack.enter_context(stub(scenario, folder, service))
            services = {service or SERVICE: {**table, **described.get("service", {})}}
            variables = {"RUNBOOK_SERVICES": json.dumps(services), **described.get("variables", {})}
            self._start(key, service or SERVICE, {**variables, "RUNBOOK_MODE": mode})
        return key

    def start_service(self, service: str, mode: str = "observe") -> str:
        """Start a triage of a service that the environment's settings describe, as it is now."""
        key = f"{service}-{len(self._jobs)}"
        (self._folder / key).mkdir()
        own = {name: value for name, value in os.environ.items() if name.startswith("RUNBOOK_")}
        self._start(key, service, {**own, "RUNBOOK_MODE": mode})
        return key

    def _start(self, key: str, service: str, environment: Mapping[str, str]) -> None:
        folder = self._folder / key
        variables = {**environment, "RUNBOOK_STATE_DIR": str(folder / "var")}
        self._jobs[key] = TriageJob(service=service, environment=variables, story=folder / "story.json")
        pipe = cast("IO[str]", self._runner.stdin)
        pipe.write(self._jobs[key].model_dump_json() + "\n")
        pipe.flush()

    def seen(self, key: str) -> TriageSeen:
        """Wait for a triage, and give what it saw.

        Errors: `DEADLINE_PASSED`, or `NOT_READY` with what it broke on.
        """
        job, deadline = self._jobs[key], time.monotonic() + TRIAGE_TIMEOUT_S
        while not job.story.exists():
            if job.failed.exists():
                raise CannotObserve(Code.NOT_READY, f"expected a triage of {key}, it broke:\n{job.failed.read_text()}")
            if self._runner.poll() is not None or time.monotonic() > deadline:
                raise CannotObserve(Code.DEADLINE_PASSED, f"expected a triage of {key} in {TRIAGE_TIMEOUT_S:g} s")
            time.sleep(0.02)
        return TriageSeen(TriageStory.model_validate_json(job.story.read_bytes()))

    def close(self) -> None:
        """End all that was started."""
        self._stack.close()


def as_described(service: str) -> dict[str, dict[str, Any]]:
    """Take from a firm's settings how its service speaks, and nothing that leads to its gateways, hosts or commands.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    settings = load_settings()
    table = settings.service(service).model_dump(mode="json", exclude_unset=True, include=SPOKEN)
    calendars = settings.model_dump(mode="json", include={"calendars"}, exclude_unset=True).get("calendars")
    return {"service": table, "variables": {"RUNBOOK_CALENDARS": json.dumps(calendars)} if calendars else {}}


@contextmanager
def stub(scenario: str, folder: Path, service: str = "") -> Iterator[dict[str, Any]]:
    """Run the stub service in a scenario, speaking as a described service does; give the table that watches it."""
    port = free_port()
    command = [sys.executable, "-m", STUB, "--scenario", scenario, "--port", str(port), "--control-token", TOKEN]
    if service:
        file = config_path(os.environ)
        command += ["--description", str(file.absolute() if file else "runbook.toml"), "--service", service]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        # It says so when it listens.
        cast("IO[str]", process.stdout).readline()
        yield {
            "base_url": f"http://127.0.0.1:{port}",
            "process_pattern": rf"order_service\.stub .*--port {port}\b",
            "control_token": TOKEN,
            "start_command": command,
            "start_log": str(folder / "stub.log"),
            "synthetic_orders": {"equity": {"symbol": "ZVZZT"}},
            "look": LOOK,
            "restart": RESTART,
        }
    finally:
        process.kill()
        process.wait(10)


def _ended(process: "subprocess.Popen[str]") -> None:
    cast("IO[str]", process.stdin).close()
    process.terminate()
    process.wait(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
