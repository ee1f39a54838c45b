"""Several services of one host, each a real process in a scenario of its own."""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.incidents.modes import Mode
from tasks.settings import RunbookSettings
from tests.fakes.service.monitored_service import Patient, end, watched

# The looks of several services share one core with other tests: none may time out because another one works.
UNHURRIED = ProbeLimits(health_timeout_s=3.0, metrics_timeout_s=3.0, order_timeout_s=3.5)
AT_ONCE_COUNT = 4


@dataclass
class Ward:
    """The services by name, and settings that watch all of them."""

    settings: RunbookSettings
    patients: dict[str, Patient]

    def watch_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let whoever loads the settings see these patients and nothing else."""
        for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
            monkeypatch.delenv(name)
        services = {
            name: one.model_dump(mode="json", exclude_defaults=True) for name, one in self.settings.services.items()
        }
        monkeypatch.setenv("RUNBOOK_STATE_DIR", str(self.settings.state_dir))
        monkeypatch.setenv("RUNBOOK_MODE", self.settings.mode.value)
        monkeypatch.setenv("RUNBOOK_SERVICES", json.dumps(services))

    def ledger(self, name: str) -> Path:
        """Say where the ledger of one service is."""
        return self.settings.ledger_path(name)


def start_all(patients: Mapping[str, Patient]) -> None:
    """Start them at once: each is waited for until it listens."""
    with ThreadPoolExecutor(AT_ONCE_COUNT) as pool:
        list(pool.map(Patient.start, patients.values()))


@contextmanager
def ward(folder: Path, scenarios: Mapping[str, str], mode: Mode = Mode.ACT) -> Iterator[Ward]:
    """Start one stub service for each name, in its scenario; each with a ledger of its own."""
    patients: dict[str, Patient] = {}
    for name, scenario in scenarios.items():
        own = folder / name
        own.mkdir()
        patients[name] = watched(own, scenario, incidents_file=own / "incidents.jsonl", look=UNHURRIED)
    services = {name: one.service for name, one in patients.items()}
    settings = RunbookSettings(state_dir=folder / "var", mode=mode, services=services)
    try:
        start_all(patients)
        yield Ward(settings, patients)
    finally:
        for one in patients.values():
            end(one)
