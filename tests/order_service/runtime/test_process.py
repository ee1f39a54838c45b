"""The process: how it starts, refuses to start, is killed, drains and leaves."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.fakes.ports import free_port
from tests.order_service.desk import eventually, lay_out, order, routing_text
from tests.order_service.fake_gateway import FakeGateway
from tests.order_service.process import service_process

pytestmark = pytest.mark.live

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals other than terminate are POSIX")


async def _up(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/health")).json()["release"] == "9.9.9"
    except httpx.TransportError:
        return False


@posix_only
async def test_orders_in_flight_at_a_kill_are_resolved_and_none_is_sent_twice(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """SIGKILL in the middle of twenty orders loses none and doubles none."""
    lay_out(tmp_path, gateway.base_url, total_timeout_s=5)
    port = free_port()
    gateway.mode = "slow"
    bodies = [order() for _ in range(20)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        with service_process(tmp_path, port) as first:
            await eventually(lambda: _up(http), 15)
            sending = [asyncio.create_task(http.post("/orders", json=body)) for body in bodies]
            await eventually(lambda: len(gateway.posts) == 20)
            first.kill()
            await asyncio.gather(*sending, return_exceptions=True)
        gateway.mode = "fill"
        with service_process(tmp_path, port):
            await eventually(lambda: _up(http), 15)
            await eventually(lambda: _all_filled(http, 20))
            replays = await asyncio.gather(*(http.post("/orders", json=body) for body in bodies))

    assert sorted(gateway.posts) == sorted(body["client_order_id"] for body in bodies)
    assert {answer.status_code for answer in replays} == {201}


async def _all_filled(http: httpx.AsyncClient, count: int) -> bool:
    return len((await http.get("/orders?status=filled")).json()["orders"]) == count


@posix_only
async def test_a_terminated_service_finishes_what_is_out_and_refuses_the_rest(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """A deploy in trading hours must not turn orders unknown."""
    lay_out(tmp_path, gateway.base_url, total_timeout_s=5)
    port = free_port()
    gateway.mode = "slow"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        with service_process(tmp_path, port) as process:
            await eventually(lambda: _up(http), 15)
            sending = asyncio.create_task(http.post("/orders", json=order()))
            await eventually(lambda: gateway.posts)
            process.send_signal(signal.SIGTERM)
            refused = await eventually(lambda: _refused(http))
            gateway.release.set()
            answer = await sending
            assert await asyncio.to_thread(process.wait, 10) == 0

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")
    assert refused.headers["Retry-After"]
    assert not (tmp_path / "order-service.pid").exists()


async def _refused(http: httpx.AsyncClient) -> httpx.Response | None:
    health = await http.get("/health")
    if health.json()["reason"] != "draining":
        return None
    return await http.post("/orders", json=order())


@posix_only
async def test_hangup_reloads_the_table(tmp_path: Path, gateway: FakeGateway) -> None:
    """The operator's way to take a new table without a token at hand."""
    lay_out(tmp_path, gateway.base_url)
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        with service_process(tmp_path, port) as process:
            await eventually(lambda: _up(http), 15)
            (tmp_path / "routing.toml").write_text(routing_text() + "\n# changed\n")
            process.send_signal(signal.SIGHUP)
            await eventually(lambda: _table_follows_the_file(http))
            assert (tmp_path / "order-service.pid").read_text().strip() == str(process.pid)


async def _table_follows_the_file(http: httpx.AsyncClient) -> bool:
    table = (await http.get("/routing")).json()["table"]
    return bool(table["hash"] == table["file_hash"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this platform")
async def test_a_full_log_disk_costs_log_lines_and_no_orders(tmp_path: Path, gateway: FakeGateway) -> None:
    """Storage trouble is reported as degraded; orders go on."""
    lay_out(tmp_path, gateway.base_url)
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        with service_process(tmp_path, port, LOG_FILE="/dev/full"):
            await eventually(lambda: _up(http), 15)
            answer = await http.post("/orders", json=order())
            health = await eventually(lambda: _degraded(http))
            metrics = (await http.get("/metrics")).text

    assert answer.status_code == 201
    assert health["dependencies"]["storage"]["status"] == "error"
    assert "log_lines_lost_total 0.0" not in metrics


async def _degraded(http: httpx.AsyncClient) -> dict[str, dict[str, dict[str, str]]] | None:
    health = (await http.get("/health")).json()
    return health if health["status"] == "degraded" else None


@pytest.mark.parametrize(
    ("settings", "starts_with", "code"),
    [
        ({"PORT": "high"}, "SETTING_INVALID: ORDER_SERVICE_PORT", 2),
        ({"PROT": "1"}, "SETTING_UNKNOWN: ORDER_SERVICE_PROT", 2),
        ({"ROUTING_FILE": "/nowhere/routing.toml"}, "ROUTING_TABLE_REFUSED: ", 2),
        ({"GATEWAYS_FILE": "/nowhere/gateways.json"}, "GATEWAYS_FILE_REFUSED: ", 2),
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_line(
    tmp_path: Path, settings: dict[str, str], starts_with: str, code: int
) -> None:
    """The supervisor shows this line to whoever is paged."""
    lay_out(tmp_path, "http://127.0.0.1:1")
    with service_process(tmp_path, free_port(), **settings) as process:
        _, stderr = process.communicate(timeout=20)

    assert process.returncode == code
    assert stderr.startswith(starts_with)
    assert len(stderr.splitlines()) == 1


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Killing the port's owner is not the service's business; naming the port is."""
    lay_out(tmp_path, "http://127.0.0.1:1")
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        with service_process(tmp_path, port) as process:
            _, stderr = process.communicate(timeout=20)

    assert (process.returncode, stderr.partition(":")[0]) == (1, "PORT_TAKEN")
    assert str(port) in stderr


async def test_a_second_service_on_the_same_state_does_not_start(tmp_path: Path, gateway: FakeGateway) -> None:
    """It would take the first one's orders for interrupted."""
    lay_out(tmp_path, gateway.base_url)
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        with service_process(tmp_path, port):
            await eventually(lambda: _up(http), 15)
            with service_process(tmp_path, free_port()) as second:
                _, stderr = await asyncio.to_thread(second.communicate, None, 20)

    assert (second.returncode, stderr.partition(":")[0]) == (1, "STATE_DIR_IN_USE")
