"""The service and the stub, asked the same questions: the same statuses, codes and shapes of JSON."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_service.stub.server import listen, parse_arguments, port_of
from tests.order_service.desk import TOKEN, desk_at, order
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WHY = {"reason": "a test", "set_by": "kim", "source": "triage"}
TEST_ORDER = {"symbol": "ZVZZT", "quantity": "1", "synthetic": True}
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "gateways/XNAS", {"state": "degraded"}),
    ("PUT", "gateways/XNAS", {"state": "enabled"}),
    ("PUT", "routes/equity", {"gateway": "XNYS", "scope": "synthetic"}),
    ("PUT", "routes/equity", {"gateway": "XNYS", "scope": "all"}),
    ("PUT", "routes/equity", {"gateway": None}),
    ("PUT", "trading/crypto", {"state": "halted"}),
    ("PUT", "strategies/loop", {"state": "halted"}),
    ("PUT", "features/order_throttle", {"enabled": False}),
    ("POST", "reload", {}),
]
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "gateways/NONE", {"state": "degraded"}),
    ("PUT", "features/none", {"enabled": True}),
    ("PUT", "trading/bond", {"state": "halted"}),
    ("PUT", "routes/bond", {"gateway": None}),
    ("PUT", "nothing/equity", {"state": "halted"}),
    ("PUT", "routes/equity", {"gateway": "CRYP"}),
    ("PUT", "routes/equity", {"gateway": "XNYS", "scope": "some"}),
    ("PUT", "trading/crypto", {"state": "stopped"}),
    ("PUT", "strategies/loop", {"state": "reducing"}),
    ("POST", "restore", {"hash": "0" * 64}),
    ("POST", "restore", {"hash": "short"}),
]


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    """A gateway that fills."""
    async with FakeGateway() as fake:
        yield fake


@pytest.fixture
async def both(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client to the real service, and one to the stub."""
    given = parse_arguments(["--scenario", "healthy", "--port", "0", "--control-token", TOKEN])
    stub = await listen(given)
    async with (
        desk_at(tmp_path / "state", gateway) as desk,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port_of(stub)}", headers=HEADERS) as to_stub,
    ):
        desk.http.headers.update(HEADERS)
        yield desk.http, to_stub
    stub.close()


Both = tuple[httpx.AsyncClient, httpx.AsyncClient]


async def test_every_change_is_answered_in_one_shape(both: Both) -> None:
    """An action that is proven against the stub must work against the service."""
    for method, path, change in CHANGES:
        real, stub = [await one.request(method, f"/control/{path}", json={**change, **WHY}) for one in both]
        assert (real.status_code, stub.status_code) == (200, 200), path
        assert differing(real.json(), stub.json()) == [], path


@pytest.mark.parametrize(("method", "path", "change"), REFUSED)
async def test_every_refusal_has_one_status_code_and_shape(
    both: Both, method: str, path: str, change: dict[str, Any]
) -> None:
    """What the runbook makes of a refusal hangs on these."""
    real, stub = [await one.request(method, f"/control/{path}", json={**change, **WHY}) for one in both]

    assert real.status_code == stub.status_code
    assert real.json()["error"]["code"] == stub.json()["error"]["code"]
    assert differing(real.json(), stub.json()) == []


async def test_the_views_have_one_shape_after_every_change(both: Both) -> None:
    """Effects are read from these views, so each must show what was set."""
    for method, path, change in CHANGES:
        for one in both:
            await one.request(method, f"/control/{path}", json={**change, **WHY})
        for view in ("/routing", "/health"):
            real, stub = [(await one.get(view)).json() for one in both]
            assert differing(real, stub) == [], (view, path)


async def test_a_restored_table_is_answered_in_one_shape(both: Both) -> None:
    """Each side names the tables that can be put back, and puts back what it names."""
    for one in both:
        table = (await one.get("/routing")).json()["table"]
        answer = await one.post("/control/restore", json={"hash": table["shipped_hash"], **WHY})

        assert answer.status_code == 200
        assert answer.json().keys() == {"hash", "previous_hash", "loaded_at"}
        assert (await one.get("/routing")).json()["table"]["hash"] == table["shipped_hash"]


async def test_listed_orders_have_one_shape(both: Both) -> None:
    """The order-state gate reads both sides alike."""
    for body in (order(), order(**TEST_ORDER)):
        for one in both:
            assert (await one.post("/orders", json=body)).status_code == 201
    real, stub = [(await one.get("/orders?limit=1")).json() for one in both]

    assert differing(real, stub) == []
    assert len(real["orders"]) == len(stub["orders"]) == 1
    assert all(page["next"] is not None for page in (real, stub))


async def test_a_halt_is_answered_alike(both: Both) -> None:
    """Denied is told from rejected and failed by code and field."""
    for one in both:
        await one.put("/control/strategies/momentum", json={"state": "halted", **WHY})
    real, stub = [(await one.post("/orders", json=order())) for one in both]

    assert real.status_code == stub.status_code == 503
    assert [real.json()["error"][key] for key in ("code", "field")] == [
        stub.json()["error"][key] for key in ("code", "field")
    ]


def differing(real: Any, stub: Any, place: str = "") -> list[str]:
    """Name every place where two documents differ in keys or types; null stands for any type."""
    if real is None or stub is None:
        return []
    if isinstance(real, dict) and isinstance(stub, dict):
        if real.keys() != stub.keys():
            return [f"{place}: {sorted(real.keys() ^ stub.keys())}"]
        return [found for key in real for found in differing(real[key], stub[key], f"{place}.{key}")]
    if isinstance(real, list) and isinstance(stub, list):
        return differing(real[0], stub[0], f"{place}[]") if real and stub else []
    numbers = isinstance(real, int | float) and isinstance(stub, int | float)
    return [] if numbers or type(real) is type(stub) else [f"{place}: {type(real).__name__}, {type(stub).__name__}"]
