"""A service for the automation' tests: the stub service as a real process, and settings that watch it."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.clients.process.commands import reap
from tasks.clients.process.probe import service_identity
from tasks.clients.process.processes import identify, terminate
from tasks.clients.process.supervisors.psutil_ import start_service
from tasks.clients.service.readiness import answers_health
from tasks.model.diagnosis.limits import ProbeLimits, RestartLimits
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass, SyntheticOrder
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port

FAST_LOOKS = ProbeLimits(connect_timeout_s=0.5, health_timeout_s=0.5, metrics_timeout_s=0.5, order_timeout_s=0.5)
FAST_RESTART = RestartLimits(
    drain_timeout_s=0.5, kill_timeout_s=5, start_timeout_s=15, confirm_for_s=0.3, confirm_timeout_s=5
)


@dataclass
class Patient:
    """A watched stub service with a state of its own."""

    settings: RunbookSettings
    service: ServiceSettings
    pid: int | None = None

    @property
    def ledger(self) -> Path:
        """Its incident ledger."""
        return self.settings.ledger_path("order-service")

    def watch_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let whoever loads the settings see this patient and nothing else."""
        for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
            monkeypatch.delenv(name)
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)

    def environment(self) -> dict[str, str]:
        """Say in variables what is watched, for a process of its own."""
        services = {"order-service": self.service.model_dump(mode="json", exclude_defaults=True)}
        return {
            "RUNBOOK_STATE_DIR": str(self.settings.state_dir),
            "RUNBOOK_MODE": self.settings.mode.value,
            "RUNBOOK_SERVICES": json.dumps(services),
        }

    def start(self) -> None:
        """Start it as the supervisor does, and wait until it listens."""
        self.pid = start_service(self.service, lambda: listens(self.service.port)).pid


def watched(folder: Path, scenario: str = "healthy", **changes: object) -> Patient:
    """Describe a stub service in a scenario, not yet started."""
    port = free_port()
    service = ServiceSettings.model_validate(
        {
            "base_url": f"http://127.0.0.1:{port}",
            "process_pattern": rf"order_service\.stub .*--port {port}\b",
            "start_command": (sys.executable, "-m", "order_service.stub", "--scenario", scenario, "--port", str(port)),
            "start_log": folder / "stub.log",
            "synthetic_orders": {AssetClass.EQUITY: SyntheticOrder(symbol="ZVZZT")},
            "look": FAST_LOOKS,
            "restart": FAST_RESTART,
            **changes,
        }
    )
    settings = RunbookSettings(state_dir=folder / "var", mode=Mode.ACT, services={"order-service": service})
    return Patient(settings=settings, service=service)


@contextmanager
def running(folder: Path, scenario: str = "healthy", **changes: object) -> Iterator[Patient]:
    """Start a stub service in a scenario; end whatever listens for it afterwards, by pid."""
    patient = watched(folder, scenario, **changes)
    patient.start()
    try:
        yield patient
    finally:
        end(patient)


def end(patient: Patient) -> None:
    """End the service, also one that a test restarted."""
    for identity in (service_identity(patient.service), identify(patient.pid) if patient.pid else None):
        if identity is not None:
            terminate(identity, grace_s=0)
    reap()


def listens(port: int) -> bool:
    """Say whether somebody accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(patient: Patient) -> None:
    """Wait until the service answers health."""
    eventually(lambda: answers_health(patient.service))
