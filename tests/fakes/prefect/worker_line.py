"""A wire between a worker and its server that can be cut, and fixed again: an outage without stopping the server."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536


class Line:
    """A TCP proxy on a free port. Units: `without_events` refuses what asks for Prefect's event stream."""

    def __init__(self, api: str, *, without_events: bool = False) -> None:
        target = urlsplit(api)
        self._target = (target.hostname or "127.0.0.1", target.port or 80)
        self._without_events = without_events
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_cut = threading.Event()
        self.api = f"http://127.0.0.1:{self._listener.getsockname()[1]}{target.path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and accept none."""
        self._is_cut.set()
        for one in tuple(self._open):
            self._close(one)

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut.clear()

    def close(self) -> None:
        """End the proxy."""
        self.cut()
        self._close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut.is_set():
                self._close(caller)
            else:
                threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        try:
            first = caller.recv(CHUNK_BYTES)
            if self._without_events and b"/events/out" in first:
                self._close(caller)
                return
            server = socket.create_connection(self._target)
            server.sendall(first)
        except OSError:
            self._close(caller)
            return
        self._open |= {caller, server}
        threading.Thread(target=self._carry, args=(server, caller), daemon=True).start()
        self._carry(caller, server)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while found := source.recv(CHUNK_BYTES):
                target.sendall(found)
        except OSError:
            pass
        self._close(source)
        self._close(target)

    def _close(self, one: socket.socket) -> None:
        self._open.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            one.close()
