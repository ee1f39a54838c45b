"""A Prefect server that creates flow runs and keeps idempotency keys, over real HTTP, and fails as it is told to."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PrefectApi:
    """What was asked of it. `status` other than 200 is answered to every call; each of `failures` to one, in turn.

    `login` is asked for where it is set; `deployment` is the one that it has.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.deployment = "triage/do-triage"
        self.failures: list[str] = []
        self.login: str | None = None
        self.authorizations: list[str | None] = []
        self.runs: dict[str, dict[str, Any]] = {}

    @property
    def is_refused(self) -> bool:
        """Say whether the call that is answered came without the login."""
        expected = base64.b64encode((self.login or "").encode()).decode()
        return self.login is not None and self.authorizations[-1] != f"Basic {expected}"

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one call as the server does."""
        if self.status != 200:
            return self.status, {"detail": "Internal Server Error"}
        if self.failures and (said := self.failures.pop(0)):
            return 503, {"exception_message": said}
        if self.is_refused and path != "/api/health":
            return 401, {"exception_message": "Unauthorized"}
        if path == f"/api/deployments/name/{self.deployment}":
            return 200, {"id": "deployment-1"}
        if path == "/api/deployments/deployment-1/create_flow_run":
            run = self.runs.setdefault(body["idempotency_key"], {"id": f"run-{len(self.runs) + 1}", **body})
            return 201, run
        return 404, {"detail": "Not found"}


@contextmanager
def serving_prefect() -> Iterator[PrefectApi]:
    """Listen on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any]) -> None:
            api.authorizations.append(self.headers["Authorization"])
            status, document = api.answer(self.path, body)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = PrefectApi(f"http://127.0.0.1:{server.server_port}/api")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
