"""A way to run the stub in a scenario, in this process's own loop thread, and to ask it."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Stub:
    """A running stub process."""

    port: int
    process: subprocess.Popen[str]

    def raw(
        self, method: str, path: str, body: Any = None, timeout_s: float = 1.0, **headers: str
    ) -> tuple[int, bytes]:
        """Ask and give status and body; what breaks on the wire is raised."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, body=data, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask and read the answer as JSON."""
        status, text = self.raw(method, path, body, **headers)
        return status, json.loads(text)

    def send(self, client_order_id: str = "synthetic-1", **other: Any) -> tuple[int, Any]:
        """Send a plain order."""
        return self.ask("POST", "/orders", {**ORDER, "client_order_id": client_order_id, **other})


ORDER = {
    "client_order_id": "synthetic-1",
    "symbol": "ZVZZT",
    "side": "buy",
    "quantity": "1",
    "order_type": "market",
    "limit_price": None,
    "time_in_force": "day",
    "asset_class": "equity",
    "strategy": "probe",
    "synthetic": True,
}


@pytest.fixture
def run() -> Iterator[Callable[..., Stub]]:
    """Start the stub in a scenario on a free port; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def _run(scenario: str, *options: str) -> Stub:
        command = [sys.executable, "-m", "order_service.stub", "--scenario", scenario, "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        port = re.search(r":(\d+)$", process.stdout.readline().strip())
        assert port, "the stub did not come up"
        return Stub(int(port[1]), process)

    yield _run
    for process in started:
        process.terminate()
        process.wait(timeout=5)
        if process.stdout is not None:
            process.stdout.close()
