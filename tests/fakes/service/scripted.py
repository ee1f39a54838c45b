"""A service that keeps each request it gets and answers as a test scripts it, over real HTTP."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.service.wire import answering


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query, each name once."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def fields(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Script = Callable[[Asked], bytes]


def replied(status: int, document: object = None, *headers: str, raw: bytes | None = None) -> bytes:
    """Write one whole answer; `raw` is a body that is no JSON."""
    body = raw if raw is not None else b"" if document is None else json.dumps(document).encode()
    lines = (f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "connection: close", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refused(status: int, code: str, message: str = "no") -> bytes:
    """Write a refusal in the shape of the contract."""
    return replied(status, {"error": {"code": code, "message": message, "field": None}})


def in_turn(*answers: bytes) -> Script:
    """Answer each request with the next of these; one more than that is answered with nothing."""
    left: Iterator[bytes] = iter(answers)
    return lambda _: next(left, b"")


@asynccontextmanager
async def scripted(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[Asked]]]:
    """Serve the script on a free port; gives its address, and the requests as they come."""
    kept: list[Asked] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await _read(reader)
        kept.append(asked)
        writer.write(script(asked))
        await writer.drain()

    async with answering(handle, reads_head=False, tls=tls) as url:
        yield url, kept


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
    headers = {name.lower(): value for name, value in pairs}
    return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
