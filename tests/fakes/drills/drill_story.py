"""What a drill led to, read from the stack's own files and doors: incidents, actions in order, messages, routes."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployments.commands.check import observed_evidence
from deployments.stack.environment import api_url
from deployments.stack.local_http import ask, with_login
from deployments.stack.stack_file import StackRecord, read_stack
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.incidents.incident import ActionRecord, IncidentState, Source
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.incidents.fold import fold_incidents
from tasks.settings import RunbookSettings, ServiceSettings, load_settings
from tests.fakes.stack.local_stack import login_of

NAME = "order-service"


@dataclass
class DrillStory:
    """One state directory; `before` are the incidents that were there when the drill began."""

    state_dir: Path
    before: set[str] = field(default_factory=set)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def whole(self) -> RunbookSettings:
        """The stack's settings, as every run reads them."""
        names = {"RUNBOOK_STATE_DIR": self.state_dir, "RUNBOOK_CONFIG": self.state_dir / "runbook.toml"}
        return load_settings({name: str(path) for name, path in names.items()})

    @property
    def settings(self) -> ServiceSettings:
        """The watched service's table."""
        return self.whole.service(NAME)

    @property
    def base_url(self) -> str:
        """Where the order service answers."""
        return self.settings.url

    @property
    def admin_urls(self) -> list[str]:
        """The admin ports of all gateways."""
        return [str(one.admin_url).rstrip("/") for one in self.settings.gateways.values()]

    @property
    def record(self) -> StackRecord:
        """What `up` started."""
        found = read_stack(self.state_dir / "stack.json")
        assert found
        return found

    @property
    def api(self) -> str:
        """Prefect's API of this stack."""
        return with_login(api_url(self.record.ports), login_of(self.state_dir))

    def ask_api(self, path: str, body: object = None) -> Any:
        """Ask Prefect's API."""
        return ask(f"{self.api}/{path}", body, timeout_s=20)

    # The parts.

    def running_pid(self) -> int | None:
        """The order service's pid, or None where it does not run."""
        found = service_identity(self.settings)
        return found.pid if found else None

    def pid(self) -> int:
        """The order service's pid."""
        found = self.running_pid()
        assert found is not None, "the order service does not run"
        return found

    def gateway_pid(self, gateway: str) -> int:
        """A gateway's pid."""
        return self.record.parts[gateway].identity.pid

    def answers(self) -> bool:
        """Say whether every gateway and the order service answer."""
        urls = [*(f"{url}/health" for url in self.admin_urls), f"{self.base_url}/health"]
        return all(ask(url, timeout_s=3) is not None for url in urls)

    def release(self) -> str | None:
        """The release that runs, as the service tells."""
        found = ask(f"{self.base_url}/health", timeout_s=5)
        return str(found["release"]) if isinstance(found, dict) else None

    def routes(self) -> dict[str, str]:
        """Where each class goes, as the service tells."""
        return {name: one["gateway"] for name, one in self._classes().items()}

    def states(self) -> dict[str, str]:
        """The classes that do not simply trade, each with its state."""
        found = {name: one["trading_state"] for name, one in self._classes().items()}
        return {name: state for name, state in found.items() if state != "active"}

    def _classes(self) -> dict[str, Any]:
        found = ask(f"{self.base_url}/routing", timeout_s=5)
        assert found, "no routing to read"
        classes: dict[str, Any] = found["asset_classes"]
        return classes

    def is_proven(self) -> bool:
        """Say whether the journal knows of no order whose outcome is open."""
        found = ask(f"{self.base_url}/orders?status=unknown", timeout_s=5)
        return found is not None and not found["orders"]

    # The looks.

    def diagnosis(self) -> Diagnosis:
        """Look and name the causes, as `runbook check` does."""
        # Beside this thread: a test that drives a browser has a loop running in it.
        with ThreadPoolExecutor(1) as beside:
            return name_cause(beside.submit(asyncio.run, observed_evidence(self.whole, NAME)).result())

    def causes(self) -> list[str]:
        """The causes that a check names now."""
        return [finding.cause.value for finding in self.diagnosis().findings]

    def is_well(self) -> bool:
        """Say whether a check finds nothing."""
        return self.diagnosis().status is Status.OK

    def is_quiet(self) -> bool:
        """Say whether a check finds nothing and no incident is open."""
        return not any(one.is_open for one in self.incidents()) and self.is_well()

    # The ledger and the messages.

    def incidents(self) -> tuple[IncidentState, ...]:
        """Every incident of the ledger."""
        return fold_incidents(read_ledger(self.whole.ledger_path(NAME)).records, NAME)

    def new_incidents(self) -> tuple[IncidentState, ...]:
        """The incidents that this drill opened."""
        return tuple(one for one in self.incidents() if one.incident_id not in self.before)

    def types(self) -> list[str]:
        """What the order service itself wrote into the ledger in this drill, by its kind."""
        records = read_ledger(self.whole.ledger_path(NAME)).records
        return [one.type for one in records if one.source == Source.ORDER_SERVICE and one.timestamp > self.began_at]

    def opened(self) -> set[str]:
        """The causes of the incidents that this drill opened."""
        return {cause.value for one in self.new_incidents() for cause in one.causes}

    def timeline(self) -> list[ActionRecord]:
        """What was done in this drill, in order."""
        return sorted(
            (action for one in self.new_incidents() for action in one.actions), key=lambda one: one.started_at
        )

    def done(self) -> list[tuple[str, str | None]]:
        """What was done in this drill, in order, each action with what it came to."""
        return [(one.action, one.outcome) for one in self.timeline()]

    def told(self, audience: str) -> list[str]:
        """What an audience heard of this drill."""
        lines = (self.state_dir / "notifications.jsonl").read_text("utf-8").splitlines()
        ids = {one.incident_id for one in self.new_incidents()}
        told = [one for one in map(json.loads, lines) if one["incident_id"] in ids and one["audience"] == audience]
        return [one["text"] for one in told]

    def snapshots(self) -> list[str]:
        """The evidence that was kept before this drill's actions, by the names of its files."""
        folders = (self.state_dir / "evidence" / one.incident_id for one in self.new_incidents())
        return [file.name for folder in folders for file in folder.glob("*/*")]
