"""Foreign order services as a firm would have them: each a process of its own, described by a settings file alone."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import listens
from tests.house.source import REPOSITORY

HERE = REPOSITORY / "tests" / "foreign"
FAST = "connect_timeout_s = 0.5\nhealth_timeout_s = 0.5\nmetrics_timeout_s = 0.5\norder_timeout_s = 3.5\n"


def _asked(url: str, method: str) -> None:
    httpx.request(method, url, timeout=5).raise_for_status()


def _said(port: int, word: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(word.encode() + b"\n")
        line.recv(16)


class Kind(NamedTuple):
    """One foreign service: its file, what it is called in its settings, how it is started and how it is broken."""

    file: str
    service: str
    words: str
    switch: Callable[[int, str], None]


FLAGS = "--port @PORT@ --admin-port @ADMIN_PORT@ --log @LOG@"
PLACES = "@PORT@ @ADMIN_PORT@ @LOG@"
SPRING = Kind("spring_oms", "oms", FLAGS, lambda port, name: _asked(f"http://127.0.0.1:{port}/fault/{name}", "PUT"))
DOTNET = Kind(
    "dotnet_router",
    "router",
    f"{FLAGS} --token s3cr3t-of-the-desk",
    lambda port, name: _asked(f"http://127.0.0.1:{port}/fault?name={name}", "POST"),
)
TICKETS = Kind("ticket_desk", "desk", PLACES, lambda port, name: _asked(f"http://127.0.0.1:{port}/set/{name}", "GET"))
FIX = Kind("fix_shop", "fix", PLACES, _said)
KINDS = {kind.service: kind for kind in (SPRING, DOTNET, TICKETS, FIX)}


@dataclass
class Shop:
    """One running foreign service in a folder of its own."""

    kind: Kind
    folder: Path
    port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    gateway: "Gateway | None" = None

    def description(self) -> str:
        """Write its settings as the firm does, with short times for the tests."""
        text = self._filled((HERE / "descriptions" / f"{self.kind.file}.toml").read_text("utf-8"))
        return f"{text}\n[services.{self.kind.service}.look]\n{FAST}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = self._filled(self.kind.words).split()
        with (self.folder / "start.log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, self._source, *words], stdout=log, stderr=log)
        self.gateway = Gateway(self.gateway_port)
        eventually(lambda: listens(self.port) and listens(self.admin_port), within_s=30)

    def breaks(self, fault: str) -> None:
        """Set its fault at its own switch; *down* is a kill."""
        if fault == "gateway-down" and self.gateway:
            self.gateway.close()
            self.gateway = None
        elif fault != "gateway-down" and not self.gateway:
            self.gateway = Gateway(self.gateway_port)
        if fault == "down":
            self.stop()
        else:
            self.kind.switch(self.admin_port, fault)

    def stop(self) -> None:
        """End the process, by its pid."""
        if self.process:
            self.process.kill()
            self.process.wait(10)

    @property
    def _source(self) -> str:
        return str(HERE / "services" / f"{self.kind.file}.py")

    def _filled(self, text: str) -> str:
        values = {
            "PORT": self.port,
            "ADMIN_PORT": self.admin_port,
            "GATEWAY_PORT": self.gateway_port,
            "PYTHON": sys.executable,
            "SOURCE": self._source,
            "LOG": self.folder / "service.log",
            "FOLDER": self.folder,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        return text


@contextmanager
def open_shop(kind: Kind, folder: Path) -> Iterator[Shop]:
    """Run a foreign service until the block ends."""
    shop = Shop(kind, folder)
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()
        if shop.gateway:
            shop.gateway.close()


class Gateway:
    """The gateway beside it: answers HTTP as some do, and waits for a logon from whoever connects."""

    def __init__(self, port: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Up)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Be gone, as a process that has ended."""
        self._server.shutdown()
        self._server.server_close()


class _Up(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status": "UP"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
