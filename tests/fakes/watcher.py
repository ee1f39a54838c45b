"""An outside watcher of pings, over real HTTP: it notes each ping, and answers as it is told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Watcher:
    """What was pinged, in order; while `silent` is set no ping is answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pings: list[str] = []
        self.silent = False
        self.released = threading.Event()

    @property
    def words(self) -> list[str]:
        """The ends of the addresses, without their run."""
        return [one.partition("?")[0] for one in self.pings]


@contextmanager
def watching(status: int = 200) -> Iterator[Watcher]:
    """Listen for pings under a secret path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watcher.pings.append(self.path)
            if watcher.silent:
                watcher.released.wait()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    watcher = Watcher(f"http://127.0.0.1:{server.server_port}/secret-uuid")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield watcher
    finally:
        watcher.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
