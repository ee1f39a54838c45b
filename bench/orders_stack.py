"""The real thing on free ports in a directory of its own: five gateway processes and the order service."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import order_service

GATEWAYS = ("XNAS", "XNYS", "XCME", "FXALL", "CRYP")
_STOP_S = 15


@dataclass(frozen=True, slots=True)
class Process:
    """A started process with the ports it named in its first line."""

    name: str
    ports: tuple[int, ...]
    handle: subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs."""

    service: Process
    gateways: tuple[Process, ...]

    def booked(self) -> dict[str, list[tuple[str, int]]]:
        """Give, for every order any gateway received, where and how often."""
        found: dict[str, list[tuple[str, int]]] = {}
        for gateway in self.gateways:
            with urllib.request.urlopen(f"http://127.0.0.1:{gateway.ports[1]}/orders", timeout=30) as answer:
                for order in json.load(answer)["orders"]:
                    found.setdefault(order["client_order_id"], []).append((gateway.name, order["received_count"]))
        return found


@contextmanager
def running(name: str, *words: str, env: dict[str, str] | None = None) -> Iterator[Process]:
    """Run a Python module until the block ends; it is up when it has said its ports.

    Errors: RuntimeError when it says none.
    """
    environment = {**os.environ, **(env or {})}
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as handle:
        try:
            line = handle.stdout.readline() if handle.stdout else ""
            ports = tuple(int(port) for port in re.findall(r"http://[^ ]+:(\d+)", line))
            if not ports:
                raise RuntimeError(f"NOT_UP: expected {name} to name its port, was {line!r}; run it by hand")
            yield Process(name, ports, handle)
        finally:
            handle.terminate()
            try:
                handle.wait(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                handle.kill()


@contextmanager
def running_stack(directory: Path) -> Iterator[Stack]:
    """Run gateways and service until the block ends."""
    with ExitStack() as stack:
        gateways = tuple(stack.enter_context(_gateway(name, directory)) for name in GATEWAYS)
        addresses = {each.name: {"base_url": f"http://127.0.0.1:{each.ports[0]}"} for each in gateways}
        (directory / "gateways.json").write_text(json.dumps(addresses))
        shutil.copy(Path(order_service.__file__).parent / "config" / "routing.toml", directory / "routing.toml")
        environment = {
            "ORDER_SERVICE_PORT": "0",
            "ORDER_SERVICE_STATE_DIR": str(directory / "state"),
            "ORDER_SERVICE_ROUTING_FILE": str(directory / "routing.toml"),
            "ORDER_SERVICE_GATEWAYS_FILE": str(directory / "gateways.json"),
        }
        service = stack.enter_context(running("order-service", "order_service", env=environment))
        yield Stack(service, gateways)


@contextmanager
def _gateway(name: str, directory: Path) -> Iterator[Process]:
    journal = str(directory / f"{name}.jsonl")
    words = ("--name", name, "--port", "0", "--admin-port", "0", "--journal", journal)
    with running(name, "order_service.gateway_simulator", *words) as process:
        yield process
