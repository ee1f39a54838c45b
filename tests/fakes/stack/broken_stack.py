"""A stack that may be broken: real processes that listen, carrying the mark of a stack file, or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tasks.clients.process.marks import STACK_MARK
from tasks.model.incidents.modes import Mode
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import FAST_LOOKS, listens

SERVICE = "order-service"
GATEWAY = "CRYP"
MARK = "0123456789abcdef"
TABLE = '[routes.crypto]\ngateway = "CRYP"\n'
# Takes each connection and ends it: whoever asks gets a failure at once, and never waits.
LISTENS = (
    "import socket, sys\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile True: s.accept()[0].close()"
)


@dataclass
class DrillStack:
    """The folder of a stack, its settings, and the processes that listen for it."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in (SERVICE, GATEWAY, "admin")})
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def table(self) -> Path:
        """The live routing table."""
        return self.folder / "order-service" / "routing.toml"

    def url(self, name: str) -> str:
        """Where a part answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def listen(self, name: str, mark: str = MARK) -> "subprocess.Popen[bytes]":
        """Start a part."""
        environment = {**os.environ, STACK_MARK: mark}
        command = [sys.executable, "-c", LISTENS, str(self.ports[name])]
        self.processes[name] = subprocess.Popen(command, env=environment)
        eventually(lambda: listens(self.ports[name]), within_s=20)
        return self.processes[name]

    def settings(self, **changes: object) -> RunbookSettings:
        """The settings as `runbook up` writes them; `changes` are of the service."""
        gateway = {"base_url": self.url(GATEWAY), "admin_url": self.url("admin"), "asset_classes": ["crypto"]}
        facts: dict[str, object] = {
            "base_url": self.url(SERVICE),
            "control_token": "a-token-of-the-stack",
            "start_environment": {"ORDER_SERVICE_STATE_DIR": str(self.table.parent)},
            "gateways": {GATEWAY: gateway},
            "look": FAST_LOOKS,
            **changes,
        }
        return RunbookSettings.model_validate(
            {
                "state_dir": self.folder,
                "mode": Mode.ACT,
                "services": {SERVICE: ServiceSettings.model_validate(facts)},
                "drill": {"stack_file": self.folder / "stack.json", "mend_command": (sys.executable, "-c", "exit(3)")},
            }
        )

    def end(self) -> None:
        """End every part, also one that was stopped."""
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def drill_stack(folder: Path, *, up: bool = True) -> Iterator[DrillStack]:
    """Lay a stack out, with all its parts running unless they shall not; end them afterwards."""
    stack = DrillStack(folder)
    stack.table.parent.mkdir(parents=True)
    stack.table.write_text(TABLE, "utf-8")
    (folder / "stack.json").write_text(json.dumps({"mark": MARK, "ports": stack.ports}), "utf-8")
    try:
        for name in stack.ports if up else ():
            stack.listen(name)
        yield stack
    finally:
        stack.end()
