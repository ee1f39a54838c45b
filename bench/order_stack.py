"""The order service and its five gateways as processes of their own, on free ports, without Prefect."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

import order_service
from bench.report import REPOSITORY
from bench.stack import environment

GATEWAYS = ("XNAS", "XNYS", "XCME", "FXALL", "CRYP")
STOPS_WITHIN_S = 15


class Process(NamedTuple):
    """A started process with the ports that it named in its first line."""

    name: str
    ports: tuple[int, ...]
    handle: "subprocess.Popen[str]"


class OrderStack(NamedTuple):
    service: Process
    gateways: tuple[Process, ...]

    def booked(self) -> dict[str, list[int]]:
        """Give, for every order that any gateway received, how often each of them did."""
        found: dict[str, list[int]] = {}
        for gateway in self.gateways:
            answer = httpx.get(f"http://127.0.0.1:{gateway.ports[1]}/orders", timeout=30, trust_env=False)
            for order in answer.json()["orders"]:
                found.setdefault(order["client_order_id"], []).append(order["received_count"])
        return found


@contextmanager
def running(name: str, *words: str, **variables: str) -> Iterator[Process]:
    """Run a Python module until the block ends; it is up when it has named its ports in its first line.

    Errors: SystemExit when it names none.
    """
    command = [sys.executable, "-m", *words]
    pipe = subprocess.PIPE
    env = {**environment("ORDER_SERVICE_"), **variables}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env, cwd=REPOSITORY) as handle:
        try:
            line = handle.stdout.readline() if handle.stdout else ""
            ports = tuple(int(port) for port in re.findall(r"http://[^ ]+:(\d+)", line))
            if not ports:
                raise SystemExit(f"NOT_UP: expected {name} to name its port was {line!r}; start it in a terminal")
            yield Process(name, ports, handle)
        finally:
            handle.terminate()
            try:
                handle.wait(timeout=STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                handle.kill()


@contextmanager
def order_stack(folder: Path) -> Iterator[OrderStack]:
    with ExitStack() as stack:
        gateways = tuple(
            stack.enter_context(
                running(
                    name, "order_service.gateway_simulator", "--name", name, "--port", "0", "--admin-port", "0",
                    "--journal", str(folder / f"{name}.jsonl"),
                )
            )
            for name in GATEWAYS
        )  # fmt: skip
        addresses = {each.name: {"base_url": f"http://127.0.0.1:{each.ports[0]}"} for each in gateways}
        (folder / "gateways.json").write_text(json.dumps(addresses))
        shutil.copy(Path(order_service.__file__).parent / "config" / "routing.toml", folder / "routing.toml")
        variables = {
            "ORDER_SERVICE_PORT": "0",
            "ORDER_SERVICE_STATE_DIR": str(folder / "state"),
            "ORDER_SERVICE_ROUTING_FILE": str(folder / "routing.toml"),
            "ORDER_SERVICE_GATEWAYS_FILE": str(folder / "gateways.json"),
        }
        service = stack.enter_context(running("order-service", "order_service", **variables))
        yield OrderStack(service, gateways)
