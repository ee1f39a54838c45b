"""One gateway process for the module, healed before every test, and a way to start more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.order_service.gateway_simulator.gateway_process import Gateway


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Start one gateway for all tests of a module."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "journal.jsonl", options=("--classes", "equity,fx")).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Gateway:
    """Give the gateway without a fault."""
    shared_gateway.break_with("none")
    return shared_gateway


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Start gateways that end with the test."""
    started: list[Gateway] = []

    def _start(name: str = "XNAS", journal: Path | None = None) -> Gateway:
        gateway = Gateway(journal or tmp_path / f"{name}.jsonl", name).start()
        started.append(gateway)
        return gateway

    yield _start
    for each in started:
        if each.process.poll() is None:
            each.stop()
        elif each.process.stdout is not None:
            each.process.stdout.close()
