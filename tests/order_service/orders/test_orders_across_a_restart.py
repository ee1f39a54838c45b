"""Orders in flight while the service is killed: none lost, none doubled, none left unproven."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import order_service
from tests.order_service.gateway_simulator.gateway_process import Gateway, order

pytestmark = pytest.mark.e2e

ORDERS_COUNT = 200
KILL_AFTER_COUNTS = (40, 110)
FINAL = {"filled", "not_received"}
TABLE = Path(order_service.__file__).parent / "config" / "routing.toml"
SYMBOLS = {"equity": "AAPL", "future": "ESZ6", "fx": "EUR/USD", "crypto": "BTC-USD"}
CLIENT_PATIENCE_S = 45


@dataclass
class Service:
    """A real service process that can be killed and started again on the same port and state."""

    directory: Path
    port: int = 0
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        """Start and wait until it listens."""
        environment = {
            **os.environ,
            "ORDER_SERVICE_PORT": str(self.port),
            "ORDER_SERVICE_STATE_DIR": str(self.directory / "state"),
            "ORDER_SERVICE_ROUTING_FILE": str(self.directory / "routing.toml"),
            "ORDER_SERVICE_GATEWAYS_FILE": str(self.directory / "gateways.json"),
            "ORDER_SERVICE_JOURNAL_TIMEOUT_S": "0.5",
            "ORDER_SERVICE_RESOLVE_EVERY_S": "0.1",
        }
        command = [sys.executable, "-m", "order_service"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        named = re.search(r"http://[^ ]+:(\d+)", self.process.stdout.readline())
        assert named, "the service did not come up"
        self.port = int(named[1])

    def stop(self, number: signal.Signals) -> None:
        """End this process."""
        self.process.send_signal(number)
        self.process.wait(timeout=15)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[list[Gateway]]:
    """Run all five gateways, each a little slow, so that a kill meets orders on their way."""
    names = ("XNAS", "XNYS", "XCME", "FXALL", "CRYP")
    started = [Gateway(tmp_path / f"{name}.jsonl", name).start() for name in names]
    for gateway in started:
        gateway.break_with("latency", latency_ms=150)
    yield started
    for gateway in started:
        gateway.stop()


@pytest.fixture
def service(tmp_path: Path, gateways: list[Gateway]) -> Iterator[Service]:
    """Run the service on these gateways, with deadlines short enough for a test."""
    addresses = {each.name: {"base_url": f"http://127.0.0.1:{each.port}"} for each in gateways}
    (tmp_path / "gateways.json").write_text(json.dumps(addresses))
    short = "connect_timeout_s = 0.5\nread_timeout_s = 0.9\ntotal_timeout_s = 1.0"
    table = re.sub(r"^(\[gateways\..*\])$", rf"\1\n{short}", TABLE.read_text(), flags=re.MULTILINE)
    (tmp_path / "routing.toml").write_text(table)
    service = Service(tmp_path)
    service.start()
    yield service
    service.stop(signal.SIGTERM)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client whose connections are few, so that the orders come in waves."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=24)) as session:
        yield session


async def test_no_order_is_lost_or_doubled_while_the_service_is_killed(
    service: Service, gateways: list[Gateway], session: aiohttp.ClientSession
) -> None:
    """The promise a desk trades on: after two kills every order is proven, and was sent at most once."""
    clients = [asyncio.create_task(_send_until_proven(session, service, number)) for number in range(ORDERS_COUNT)]
    for count in KILL_AFTER_COUNTS:
        await _until_received(gateways, count)
        await asyncio.to_thread(service.stop, signal.SIGKILL)
        await asyncio.to_thread(service.start)
    statuses = dict(await asyncio.gather(*clients))

    assert _interrupted_count(service) > 0, "no kill met an order on its way, so nothing was proven"
    received = _received(gateways)
    filled = {known_as for known_as, status in statuses.items() if status == "filled"}
    assert len(statuses) == ORDERS_COUNT
    assert set(statuses.values()) <= FINAL
    assert {known_as for known_as, count in received.items() if count > 1} == set(), "doubled"
    assert set(received) == filled, "what the service says and what the gateways booked"
    assert len(filled) >= ORDERS_COUNT // 2
    assert await _listed(session, service, "unknown") == []
    assert await _listed(session, service, "in_flight") == []


async def _send_until_proven(session: aiohttp.ClientSession, service: Service, number: int) -> tuple[str, str]:
    """Send one order, again and again under the same id, as a client does that never gives up."""
    asset_class = list(SYMBOLS)[number % len(SYMBOLS)]
    asked = order(f"desk-{number}", asset_class=asset_class, symbol=SYMBOLS[asset_class], strategy="desk")
    async with asyncio.timeout(CLIENT_PATIENCE_S):
        while True:
            try:
                status = await _attempt(session, service, asked)
            except (aiohttp.ClientError, TimeoutError):
                status = None
            if status in FINAL:
                return asked["client_order_id"], status
            await asyncio.sleep(0.1)


async def _attempt(session: aiohttp.ClientSession, service: Service, asked: dict[str, Any]) -> str | None:
    """Send once, then ask what the journal says: an unknown order is asked for, never sent under another id."""
    base = f"http://127.0.0.1:{service.port}/orders"
    timeout = aiohttp.ClientTimeout(total=5)
    async with session.post(base, json=asked, timeout=timeout) as answer:
        await answer.read()
    async with session.get(f"{base}/{asked['client_order_id']}", timeout=timeout) as answer:
        document = await answer.json()
    status = document.get("status")
    return status if isinstance(status, str) else None


async def _until_received(gateways: list[Gateway], count: int) -> None:
    async with asyncio.timeout(30):
        while len(await asyncio.to_thread(_received, gateways)) < count:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)


def _received(gateways: list[Gateway]) -> Counter[str]:
    """Count how often any gateway received each order."""
    found: Counter[str] = Counter()
    for gateway in gateways:
        found.update({known_as: booked["received_count"] for known_as, booked in gateway.booked().items()})
    return found


def _interrupted_count(service: Service) -> int:
    """Count the orders that a restart found on their way, as the service itself wrote it down."""
    lines = (service.directory / "state" / "incidents.jsonl").read_text().splitlines()
    return sum(json.loads(line).get("details", {}).get("interrupted_orders", 0) for line in lines)


async def _listed(session: aiohttp.ClientSession, service: Service, status: str) -> list[str]:
    async with session.get(f"http://127.0.0.1:{service.port}/orders?status={status}") as answer:
        return [each["client_order_id"] for each in (await answer.json())["orders"]]
