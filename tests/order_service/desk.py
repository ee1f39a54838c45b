"""One order service with a fake gateway, as the tests of this folder use it."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from order_service.api.app import create_app
from order_service.runtime.service import OrderService
from order_service.runtime.settings import Settings
from tests.order_service.fake_gateway import FakeGateway

TOKEN = "test-token"
NAMES = ("XNAS", "XNYS", "XCME", "FXALL", "CRYP")
_SHIPPED = Path(__file__).parents[2] / "order_service" / "config" / "routing.toml"
_numbers = itertools.count(1)


def order(**changes: object) -> dict[str, Any]:
    """Make a good order under a fresh id."""
    return {
        "client_order_id": f"t-{next(_numbers)}",
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "10",
        "order_type": "market",
        "limit_price": None,
        "time_in_force": "day",
        "asset_class": "equity",
        "strategy": "momentum",
        "synthetic": False,
        **changes,
    }


def routing_text(total_timeout_s: float = 0.5) -> str:
    """Give the shipped table with short waits."""
    waits = f"connect_timeout_s = 0.2\nread_timeout_s = {total_timeout_s}\ntotal_timeout_s = {total_timeout_s}\n"
    text = _SHIPPED.read_text(encoding="utf-8")
    for name in NAMES:
        text = text.replace(f"[gateways.{name}]\n", f"[gateways.{name}]\n{waits}")
    return text


def lay_out(state_dir: Path, base_url: str, total_timeout_s: float = 0.5) -> None:
    """Write the files a service needs to start, all gateways at one address."""
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / "routing.toml").write_text(routing_text(total_timeout_s), encoding="utf-8")
    (state_dir / "gateways.json").write_text(json.dumps({name: {"base_url": base_url} for name in NAMES}))


@dataclass
class Desk:
    """A running service, a client to it, and its gateway."""

    service: OrderService
    http: httpx.AsyncClient
    gateway: FakeGateway
    state_dir: Path

    async def send(self, body: dict[str, Any]) -> httpx.Response:
        """Post an order."""
        return await self.http.post("/orders", json=body)

    async def set(self, path: str, **body: object) -> httpx.Response:
        """Change something by hand."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return await self.http.put(f"/control/{path}", json={"reason": "a test", **body}, headers=headers)

    async def post_control(self, path: str, **body: object) -> httpx.Response:
        """Call a control action."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return await self.http.post(f"/control/{path}", json={"reason": "a test", **body}, headers=headers)

    async def routing(self) -> dict[str, Any]:
        """Read where everything goes."""
        document: dict[str, Any] = (await self.http.get("/routing")).json()
        return document

    def incidents(self) -> list[dict[str, Any]]:
        """Read the incident ledger."""
        path = self.service.settings.incidents_path
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextlib.asynccontextmanager
async def desk_at(state_dir: Path, gateway: FakeGateway, **settings: Any) -> AsyncIterator[Desk]:
    """Run a service in this process for as long as the block lasts."""
    if not (state_dir / "routing.toml").exists():
        lay_out(state_dir, gateway.base_url)
    values = {"control_token": TOKEN, "resolve_every_s": 0.1, "gateway_probe_s": 0.1, **settings}
    service = OrderService(Settings(state_dir=state_dir, **values))
    app = create_app(service)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield Desk(service, http, gateway, state_dir)


async def eventually(seen: Callable[[], Awaitable[Any] | Any], within_s: float = 8.0) -> Any:
    """Wait until something is true and give it; fail with the last value seen."""
    deadline = time.monotonic() + within_s
    while True:
        value = seen()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"never came true, last seen: {value!r}"
        await asyncio.sleep(0.02)
