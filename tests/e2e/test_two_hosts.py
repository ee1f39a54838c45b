"""Two trading hosts on one Prefect server: each host's runs, by schedule, by hand and by event, work there alone."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from tasks.clients.incidents.ledger import read_ledger
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.process.without_interrupts import DEAF
from tests.fakes.stack.local_stack import REPOSITORY, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Host:
    """One host with one service, which is down: a look at it leaves a line in this host's ledger and in no other."""

    api: str
    folder: Path
    name: str

    @property
    def service(self) -> str:
        """The service that this host watches."""
        return f"orders-{self.name}"

    def environment(self) -> dict[str, str]:
        """Its own settings."""
        services = {self.service: {"base_url": f"http://127.0.0.1:{free_port()}"}}
        return Stack(self.folder).environment(
            RUNBOOK_SERVICES=json.dumps(services), PREFECT_API_URL=self.api, PREFECT_HOME=str(self.folder / "prefect")
        )

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type one command here."""
        command = Stack(self.folder).command(*words)
        return subprocess.run(
            command, cwd=REPOSITORY, env=self.environment(), capture_output=True, text=True, timeout=120, check=False
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run its worker, as a script of the platform does in the background: deaf to Ctrl-C, and not to SIGTERM."""
        environment = {**self.environment(), "RUNBOOK_QUEUE": self.name}
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [*DEAF, *Stack(self.folder).command("worker")],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            eventually(self._is_online, within_s=120, every_s=0.5)
            yield
        finally:
            worker.terminate()
            worker.wait(30)

    def _is_online(self) -> bool:
        found = ask(f"{self.api}/work_pools/runbook/workers/filter", {}, timeout_s=5)
        return isinstance(found, list) and any(one["name"] == self.name for one in found)

    def ask_for_triage(self) -> str:
        """Order a triage of its service, as its form does."""
        deployment = ask(f"{self.api}/deployments/name/triage/do-triage.{self.name}", timeout_s=5) or {}
        body = {"parameters": {"service": self.service}}
        return str((ask(f"{self.api}/deployments/{deployment['id']}/create_flow_run", body, timeout_s=10) or {})["id"])

    def state(self, run: str) -> str:
        """Say how a run stands."""
        return str((ask(f"{self.api}/flow_runs/{run}", timeout_s=5) or {}).get("state_type"))

    def event_runs(self) -> list[dict[str, Any]]:
        """The runs that its automations created."""
        deployment = ask(f"{self.api}/deployments/name/triage/event.{self.name}", timeout_s=5) or {}
        question = {"flow_runs": {"deployment_id": {"any_": [deployment["id"]]}}}
        return list(ask(f"{self.api}/flow_runs/filter", question, timeout_s=5) or [])

    def seen_services(self) -> set[str]:
        """Whose incidents stand in its ledger."""
        ledger = self.folder / "incidents.jsonl"
        return {str(one.service) for one in read_ledger(ledger).records} if ledger.exists() else set()


@pytest.fixture
def hosts(prefect_api: str, tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Give two hosts; what they registered is taken off the session's server again."""
    names = [f"{letter}-{uuid.uuid4().hex[:6]}" for letter in "ab"]
    both = [Host(prefect_api, tmp_path / name, name) for name in names]
    for one in both:
        one.folder.mkdir()
    try:
        yield both[0], both[1]
    finally:
        own = {"deployments": {"tags": {"any_": names}}, "limit": 200}
        for one in ask(f"{prefect_api}/deployments/filter", own, timeout_s=10) or []:
            _delete(f"{prefect_api}/deployments/{one['id']}")


def test_each_hosts_runs_work_on_that_host_alone(hosts: tuple[Host, Host]) -> None:
    """A triage that a wrong host carries out sees no such service, or restarts one that it does not know."""
    first, second = hosts
    with first.working():
        registered = second.run("deploy", "--queue", second.name)
        assert registered.returncode == 0, registered.stdout + registered.stderr
        here, there = first.ask_for_triage(), second.ask_for_triage()
        _tell_incident(first.api, second.service)
        eventually(lambda: first.state(here) == "COMPLETED", within_s=90, every_s=0.5)
        eventually(second.event_runs, within_s=60, every_s=0.5)

        assert second.state(there) == "SCHEDULED"
        assert first.event_runs() == []
        assert first.seen_services() == {first.service}
        assert second.seen_services() == set()

        with second.working():
            eventually(lambda: second.state(there) == "COMPLETED", within_s=90, every_s=0.5)

    assert second.seen_services() == {second.service}
    assert first.seen_services() == {first.service}


def _tell_incident(api: str, service: str) -> None:
    event = {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "order-service.incident",
        "resource": {"prefect.resource.id": f"order-service.{service}", "prefect.resource.name": service},
        "payload": {"type": "gateway_unreachable"},
    }
    ask(f"{api}/events", [event], timeout_s=5)


def _delete(url: str) -> None:
    import urllib.request  # noqa: PLC0415

    with urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10):  # noqa: S310
        pass
