"""Slack's side of Socket Mode over a real websocket: it says hello, sends presses, and takes their receipts."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.fakes.polling import eventually


@dataclass
class FakeSocket:
    """What is to be sent, and what came back."""

    url: str = ""
    receipts: list[str] = field(default_factory=list)
    connected: threading.Event = field(default_factory=threading.Event)
    connections_count: int = 0
    # The next envelope is sent and the connection lost before its receipt; Slack then sends it again.
    loses_next: bool = False
    _waiting: SimpleQueue[dict[str, Any]] = field(default_factory=SimpleQueue)

    def press(self, value: str, *, by: str = "kim", answer_url: str = "", action: str = "acknowledge") -> str:
        """Press the button; give the id that its receipt must name."""
        payload = {
            "type": "block_actions",
            "user": {"id": "U01", "username": by},
            "actions": [{"action_id": action, "value": value}],
            "response_url": answer_url,
        }
        return self.send(payload)

    def click(self, block: dict[str, Any], number: int, **said: Any) -> str:
        """Press what a head shows: the element of one of its blocks, by a user id, as Slack would send it."""
        element = block["elements"][number]
        keys = ("action_id", "value", "selected_option")
        action = {
            "block_id": block["block_id"],
            **{key: one for key, one in {**element, **said}.items() if key in keys},
        }
        payload = {
            "type": "block_actions",
            "user": {"id": said["user"], "username": said["user"].lower()},
            "actions": [action],
            "trigger_id": said.get("trigger_id") or str(uuid4()),
            "response_url": said.get("answer_url", ""),
        }
        return self.send(payload)

    def send(self, payload: dict[str, Any]) -> str:
        """Send one payload in an envelope of its own."""
        envelope = {"type": "interactive", "envelope_id": str(uuid4()), "payload": payload}
        self._waiting.put(envelope)
        return str(envelope["envelope_id"])

    def hang_up(self) -> None:
        """Break the connection off, as Slack does every few hours."""
        self.connected.clear()
        self._waiting.put({"type": "hang up"})

    def received(self, envelope_id: str) -> None:
        """Wait for the receipt of a press."""
        eventually(lambda: envelope_id in self.receipts, within_s=40)

    def serve(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        self.connections_count += 1
        connection.send(json.dumps({"type": "hello"}))
        self.connected.set()
        try:
            while self._next(connection):
                pass
        except ConnectionClosed:
            self.connected.clear()

    def _next(self, connection: ServerConnection) -> bool:
        try:
            envelope = self._waiting.get(timeout=0.02)
            if envelope["type"] == "hang up":
                connection.close()
                return False
            connection.send(json.dumps(envelope))
            if self.loses_next:
                self.loses_next = False
                self._waiting.put(envelope)
                self.connected.clear()
                connection.close()
                return False
        except Empty:
            pass
        with suppress(TimeoutError):
            self.receipts.append(json.loads(connection.recv(timeout=0.02))["envelope_id"])
        return True


@contextmanager
def socket_mode() -> Iterator[FakeSocket]:
    """Run one on a free port."""
    fake = FakeSocket()
    server: Server = serve(fake.serve, "127.0.0.1", 0)
    fake.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link?ticket=1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join(5)
