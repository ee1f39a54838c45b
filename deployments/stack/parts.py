"""The parts of the local stack: how each is started, and when it counts as up."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsError

from deployments.prefect_api.client import PrefectDoor, stack_door
from deployments.prefect_api.create_runs import RunOrder, create_run
from deployments.prefect_server.server_settings import kept
from deployments.stack.environment import api_url, server_environment, worker_environment
from deployments.stack.local_http import answers
from deployments.stack.ports import GATEWAYS, HOST, MONITORING, SERVER
from deployments.stack.stack_settings import TRADED, gateway_url
from deployments.stack.state_dir import REPOSITORY, StateDir
from tasks.clients.process.marks import STACK_MARK
from tasks.clients.process.port_holders import stranger_in
from tasks.model.errors import RunbookError
from tasks.settings import RunbookSettings

WORKER = "worker"
# Only where an app token of Slack is set.
BUTTONS = "slack-buttons"
WORKER_NAME = "local-stack"
POOL = "runbook"
RELEASE = "1.0.0"
FIRST_TRIAGE_TRIES_COUNT = 20
FIRST_TRIAGE = "triage/every-minute"


@dataclass(frozen=True)
class Part:
    """One process of the stack. Units: `timeout_s` in seconds, from spawn to ready."""

    name: str
    command: tuple[str, ...]
    log: Path
    directory: Path
    is_ready: Callable[[], bool]
    base_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0

    @property
    def port(self) -> int | None:
        """The port on which it answers, and nobody else may."""
        return urlsplit(self.base_url).port if self.base_url else None


def server_part(state: StateDir, ports: dict[str, int]) -> Part:
    """Describe the Prefect server; it works in its own home, where no prefect.toml or .env of the user's lies."""
    health_url = f"{api_url(ports)}/health"
    return Part(
        name=SERVER,
        command=(sys.executable, "-m", "deployments.prefect_server", HOST, str(ports[SERVER])),
        log=state.log(SERVER),
        directory=state.prefect_home,
        is_ready=lambda: answers(health_url),
        base_url=f"http://{HOST}:{ports[SERVER]}",
        environment=server_environment(state, ports, kept(state)),
        timeout_s=90.0,
    )


def worker_part(state: StateDir, ports: dict[str, int]) -> Part:
    """Describe the worker, which also registers the deployments."""
    since, door = datetime.now(UTC), stack_door(state, ports)

    def is_ready() -> bool:
        # Asked with the password only once it is our own server that answers.
        ours = answers(f"{door.url}/health") and not stranger_in(ports[SERVER], os.environ.get(STACK_MARK, ""))
        return ours and worker_is_online(door, since)

    return Part(
        name=WORKER,
        command=(sys.executable, "-m", "deployments.worker", WORKER_NAME),
        log=state.log(WORKER),
        directory=REPOSITORY,
        is_ready=is_ready,
        environment=worker_environment(state, ports, kept(state)),
        timeout_s=120.0,
    )


def monitoring_part(state: StateDir, ports: dict[str, int]) -> Part:
    """Describe the part that tells our own metrics, takes alerts, and watches the watch."""
    url = f"http://{HOST}:{ports[MONITORING]}"
    return Part(
        name=MONITORING,
        command=(sys.executable, "-m", "deployments.monitoring"),
        log=state.log(MONITORING),
        directory=REPOSITORY,
        is_ready=lambda: answers(f"{url}/health"),
        base_url=url,
        environment=worker_environment(state, ports, kept(state)),
    )


def buttons_part(state: StateDir, ports: dict[str, int]) -> Part:
    """Describe the part that hears the acknowledge button; a Slack that is away does not hold the stack up."""
    return Part(
        name=BUTTONS,
        command=(sys.executable, "-m", "deployments.slack_buttons"),
        log=state.log(BUTTONS),
        directory=REPOSITORY,
        is_ready=lambda: True,
        environment=worker_environment(state, ports, kept(state)),
    )


def has_button() -> bool:
    """Say whether an app token is set in the environment, which the parts inherit."""
    try:
        return RunbookSettings().slack.app_token is not None
    except (ValidationError, SettingsError):
        # What is wrong is said in one line when the settings are loaded.
        return False


def release_parts(state: StateDir) -> list[Part]:
    """Describe the two commands that build the first release and make it current; none when there is one already."""
    if (state.releases / "current").exists():
        return []
    build = ("build", "--root", str(state.releases), RELEASE)
    routing = str(state.order_service / "routing.toml")
    deploy = ("deploy", "--root", str(state.releases), RELEASE, "--routing-file", routing, "--by", "runbook up")
    return [_release_command(state, build), _release_command(state, (*deploy, "--reason", "first start"))]


def _release_command(state: StateDir, words: tuple[str, ...]) -> Part:
    return Part(
        name=f"release {words[0]}",
        command=(sys.executable, "-m", "order_service.releases", *words),
        log=state.log("releases"),
        directory=state.releases,
        is_ready=lambda: True,
    )


def gateway_parts(state: StateDir, ports: dict[str, int]) -> list[Part]:
    """Describe the simulated gateways."""
    return [_gateway_part(state, ports, name) for name in GATEWAYS]


def _gateway_part(state: StateDir, ports: dict[str, int], name: str) -> Part:
    url = gateway_url(ports, name)
    options = {
        "--name": name,
        "--port": str(ports[name]),
        "--admin-port": str(ports[f"{name}-admin"]),
        "--journal": str(state.gateway(name) / "journal.jsonl"),
        "--classes": ",".join(TRADED[name]),
    }
    words = [word for pair in options.items() for word in pair]
    return Part(
        name=name,
        command=(sys.executable, "-m", "order_service.gateway_simulator", *words),
        log=state.log(name),
        directory=state.gateway(name),
        is_ready=lambda: answers(f"{url}/health"),
        base_url=url,
        timeout_s=30.0,
    )


def worker_is_online(door: PrefectDoor, since: datetime) -> bool:
    """Say whether the worker has reported to the server since a time."""
    question = {"workers": {"last_heartbeat_time": {"after_": since.isoformat()}}}
    found = door.ask(f"/work_pools/{POOL}/workers/filter", question)
    return isinstance(found, list) and any(one.get("name") == WORKER_NAME for one in found)


def trigger_first_triage(door: PrefectDoor) -> bool:
    """Ask for one triage now, without waiting for the minute.

    Errors: none.
    """
    try:
        create_run(door, RunOrder(deployment=FIRST_TRIAGE), tries_count=FIRST_TRIAGE_TRIES_COUNT)
    except RunbookError:
        return False
    return True
