"""The real gateway simulator as a process, for the few tests that need the venue's own behaviour."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.fakes.ports import free_port
from tests.order_service.desk import eventually
from tests.order_service.process import ROOT


@contextlib.asynccontextmanager
async def simulator(state_dir: Path) -> AsyncIterator[tuple[str, str]]:
    """Run a simulator; give its address and its fault switch's address."""
    state_dir.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test directory
    port, admin_port = free_port(), free_port()
    command = [
        *(sys.executable, "-m", "order_service.gateway_simulator", "--name", "XNAS"),
        *("--port", str(port), "--admin-port", str(admin_port), "--journal", str(state_dir / "journal")),
    ]
    process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    base_url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=base_url) as http:
            await eventually(lambda: _answers(http), 15)
        yield base_url, f"http://127.0.0.1:{admin_port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/health")).status_code == 200
    except httpx.TransportError:
        return False
