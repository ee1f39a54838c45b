"""Somewhere that an Apprise URL leads to: it takes JSON over real HTTP and keeps it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Mailbox:
    """What came, and with which status it is answered."""

    url: str = ""
    status: int = 200
    released: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run one on a free port."""
    box = Mailbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if box.hangs:
                box.released.wait(60)
            if box.status == 200:
                box.taken.append(body)
            self.send_response(box.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"json://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield box
    finally:
        box.released.set()
        server.shutdown()
        server.server_close()
