"""Ways to run the stub, in a loop thread of this process or as a process of its own, and to ask it."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from order_service.stub.server import listen, parse_arguments, port_of


@dataclass
class Stub:
    """A stub that serves."""

    port: int

    def raw(
        self, method: str, path: str, body: Any = None, timeout_s: float = 1.0, **headers: str
    ) -> tuple[int, bytes]:
        """Ask and give status and body; what breaks on the wire is raised."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, body=data, headers={"Content-Type": "application/json", **headers})
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


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread, so that each scenario costs no process of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    asyncio.run_coroutine_threadsafe(_end_connections(), loop).result(timeout=5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)
    loop.close()


@pytest.fixture
def run(loop_thread: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Stub]]:
    """Serve a scenario on a free port; it ends with the test."""
    started: list[asyncio.Server] = []

    def _run(scenario: str, *options: str) -> Stub:
        given = parse_arguments(["--scenario", scenario, "--port", "0", *options])
        server = asyncio.run_coroutine_threadsafe(listen(given), loop_thread).result(timeout=5)
        started.append(server)
        return Stub(port_of(server))

    yield _run
    for server in started:
        loop_thread.call_soon_threadsafe(server.close)


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start the stub as a person does; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def _start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "order_service.stub", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield _start
    for process in started:
        process.terminate()
        process.communicate(timeout=5)


async def _end_connections() -> None:
    """Cancel what still serves a client that went away."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
