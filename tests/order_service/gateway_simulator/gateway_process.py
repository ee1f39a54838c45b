"""A real gateway process for tests, and a client that shows what happens on the wire."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


def eventually(holds: Callable[[], Any], within_s: float = 5.0) -> Any:
    """Wait until something holds and give it back."""
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"still not so after {within_s} s: {found!r}"
        time.sleep(0.02)
    return found


def order(client_order_id: str, **other: Any) -> dict[str, Any]:
    """Make a plain order that fills."""
    plain = {
        "client_order_id": client_order_id,
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "10",
        "order_type": "market",
        "limit_price": None,
        "time_in_force": "day",
        "asset_class": "equity",
        "synthetic": False,
    }
    return {**plain, **other}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    document: Any


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int, timeout_s: float = 2.0) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request and read the answer; what breaks on the wire is raised."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self._http.request(method, path, body=data, headers={"Content-Type": "application/json"})
        response = self._http.getresponse()
        text = response.read()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(text))


@dataclass
class Gateway:
    """A gateway process on free ports."""

    journal: Path
    name: str = "XNAS"
    options: tuple[str, ...] = ()
    port: int = 0
    admin_port: int = 0
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> Self:
        """Start and wait until it takes orders; a second start takes the same ports again."""
        command = [sys.executable, "-m", "order_service.gateway_simulator", "--name", self.name]
        command += ["--port", str(self.port), "--admin-port", str(self.admin_port), "--journal", str(self.journal)]
        self.process = subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        ports = re.findall(r":(\d+)", self.process.stdout.readline())
        assert len(ports) == 2, "the gateway did not come up"
        self.port, self.admin_port = map(int, ports)
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End this process and give its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def connect(self, timeout_s: float = 2.0) -> Connection:
        """Open a connection to the order port."""
        return Connection(self.port, timeout_s)

    def ask(self, method: str, path: str, body: Any = None, timeout_s: float = 2.0) -> Answer:
        """Ask on a new connection."""
        with self.connect(timeout_s) as connection:
            return connection.ask(method, path, body)

    def sent_with(self, headers: dict[str, str], place: tuple[int, str, str], body: bytes) -> int:
        """Send a body with these headers alone, to a port, method and path; give the status."""
        port, method, path = place
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as client:
            client.request(method, path, body=body, headers=headers)
            return client.getresponse().status

    def admin(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask on the admin port."""
        with Connection(self.admin_port) as connection:
            return connection.ask(method, path, body)

    def break_with(self, fault: str, **numbers: Any) -> None:
        """Set a fault."""
        answer = self.admin("PUT", "/faults", {"fault": fault, **numbers})
        assert answer.status == 200, answer

    def booked(self) -> dict[str, dict[str, Any]]:
        """Give all orders the gateway knows, by id."""
        return {each["client_order_id"]: each for each in self.admin("GET", "/orders").document["orders"]}
