"""Ask a service as the product does: over the client of all calls, and barely, as the watch of each second."""

import asyncio

from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.liveness import ask_once
from tasks.model.probes.liveness import Answered
from tasks.model.probes.probes import Exchange
from tasks.model.service.http_settings import HttpSettings
from tests.fakes.service.scripted import Asked, replied


def healthy(_: Asked) -> bytes:
    """Answer as a healthy service."""
    return replied(200, {"status": "ok"})


async def asked(url: str, http: HttpSettings) -> Exchange:
    """Ask once."""
    async with http_client(http, 1.0) as client:
        return await exchange(client, Call("GET", f"{url}/health", 2.0))


async def asked_barely(url: str, http: HttpSettings) -> Answered:
    """Ask whether it answers at all."""
    return await asyncio.to_thread(ask_once, f"{url}/health", http)
