"""Slack over real HTTP, by hand: as unwell as a test wants it.

What a fault does to the message itself is part of the fault: an answer that never comes may hide a message that was
taken.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.fakes.slack.slack_api import TOKEN, FakeSlack, Ill, Json
from tests.fakes.slack.slack_rules import wrong_blocks, wrong_text

PORTAL = b"<html><body>Log in to the guest network</body></html>"


@contextmanager
def slack() -> Iterator[FakeSlack]:
    """Run a Slack on a free port."""
    fake = FakeSlack()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"slack": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack

    def do_POST(self) -> None:
        """Read one request, carry it out or not, and answer well or ill."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        ill = self.slack.next_ill()
        answer = self._carried_out(body) if ill.is_taken else b""
        self.slack.before_answer(self.path)
        self._answer(ill, answer)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""

    def _carried_out(self, body: bytes) -> bytes:
        if self.path.startswith("/upload/"):
            self.slack.files[self.path.removeprefix("/upload/")] = body
            return b"OK - 1"
        if self.path.startswith("/services/"):
            said = json.loads(body)
            fault = wrong_text(said.get("text")) or wrong_blocks(said.get("blocks") or [])
            self.slack.hooked += [] if fault else [said]
            return fault.encode() if fault else b"ok"
        said = self._said(body)
        token = said.pop("token", None) or (self.headers.get("authorization") or "").removeprefix("Bearer ")
        if token != TOKEN and not token.startswith("xapp-"):
            return b'{"ok": false, "error": "invalid_auth"}'
        return json.dumps(self.slack.answer(self.path.removeprefix("/api/"), said)).encode()

    def _said(self, body: bytes) -> Json:
        if "json" in (self.headers.get("content-type") or ""):
            found: Json = json.loads(body or b"{}")
            return found
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}

    def _answer(self, ill: Ill, answer: bytes) -> None:
        self.close_connection = True
        match ill:
            case Ill.SILENT | Ill.SILENT_TAKEN:
                time.sleep(self.slack.silent_s)
            case Ill.DROPPED | Ill.DROPPED_TAKEN:
                pass
            case Ill.CUT_TAKEN:
                self._send(200, answer[: len(answer) // 2], "application/json", length=len(answer))
            case Ill.DRIPPING:
                self._drip()
            case _:
                self._send(*self._spoken(ill, answer))

    def _spoken(self, ill: Ill, answer: bytes) -> tuple[int, bytes, str]:
        refused = json.dumps({"ok": False, "error": self.slack.error}).encode()
        return {
            Ill.LIMITED: (429, b'{"ok": false, "error": "ratelimited"}', "application/json"),
            Ill.NOT_OK: (200, refused, "application/json"),
            Ill.BROKEN: (500, b"upstream connect error", "text/plain"),
            Ill.BROKEN_TAKEN: (500, b"upstream connect error", "text/plain"),
            Ill.HTML: (200, PORTAL, "text/html"),
            Ill.HTML_TAKEN: (200, PORTAL, "text/html"),
        }.get(ill, (200, answer, "application/json"))

    def _send(self, status: int, body: bytes, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) if length is None else length))
        if status == 429 and self.slack.retry_after is not None:
            self.send_header("retry-after", self.slack.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        for _ in range(20):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(self.slack.silent_s / 10)
