"""HTTP on plain sockets, so that an answer can also be late, cut, dripped, endless or never sent."""

import asyncio
import http
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from order_service.api.contract import error_body
from order_service.runtime.codes import Code
from order_service.runtime.known_hosts import Sender

_BODY_LIMIT_BYTES = 1024 * 1024
_PADDING = b" " * 65_536


class Delivery(StrEnum):
    WHOLE = "whole"
    NEVER = "never"
    CUT = "cut"
    DRIP = "drip"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def sender(self) -> Sender:
        found = ((self.headers[name],) if name in self.headers else () for name in ("host", "origin", "sec-fetch-site"))
        return Sender(self.method, *found)

    @property
    def is_new_order(self) -> bool:
        return self.method == "POST" and self.path == "/orders"


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold one answer and the way it goes out; padding is white space after the body."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    delay_s: float = 0
    padding_bytes: int = 0

    def head(self) -> bytes:
        lines = {
            "Date": formatdate(usegmt=True),
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body) + self.padding_bytes),
            **self.headers,
        }
        first = f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}"
        return "\r\n".join([first, *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode()


def reply_json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(document).encode(), headers=headers or {})


def problem(code: Code, message: str, field: str | None = None) -> Reply:
    """Refuse in the one shape of the contract."""
    headers = {"Retry-After": "1"} if code.http_status == 503 else {}
    return reply_json(code.http_status, {"error": error_body(code, message, field)}, headers)


class BadRequest(Exception):
    """What came is no request; it is answered with 400 and the connection ends."""


class Connections:
    def __init__(self, answer: Callable[[Request], Reply], drip_interval_s: float = 1.0) -> None:
        self._answer = answer
        self._drip_interval_s = drip_interval_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that gives up is the point of half the scenarios; a cancel is the end of the process.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await _read(reader)
        except (BadRequest, ValueError) as error:
            await self._send(reply_json(400, {"error": {"code": "INVALID_REQUEST", "message": str(error)}}), writer)
            return False
        reply = self._answer(request)
        await asyncio.sleep(reply.delay_s)
        await self._deliver(reply, reader, writer)
        return reply.delivery in {Delivery.WHOLE, Delivery.DRIP} and request.headers.get("connection") != "close"

    async def _deliver(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match reply.delivery:
            case Delivery.WHOLE:
                await self._send(reply, writer)
            case Delivery.NEVER:
                while await reader.read(65_536):  # until the client hangs up
                    pass
            case Delivery.CUT:
                writer.write(reply.head() + reply.body[: len(reply.body) // 2])
                await writer.drain()
            case Delivery.RESET:
                writer.transport.abort()
            case Delivery.DRIP:
                await self._drip(reply, writer)

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(reply.head() + reply.body)
        left = reply.padding_bytes
        while left > 0:
            writer.write(_PADDING[: min(left, len(_PADDING))])
            left -= len(_PADDING)
            await writer.drain()
        await writer.drain()

    async def _drip(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        for byte in reply.head() + reply.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(self._drip_interval_s)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) != 3:
        raise BadRequest("expected a request line")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _BODY_LIMIT_BYTES or "transfer-encoding" in headers:
        raise BadRequest(f"expected a body of announced length, at most {_BODY_LIMIT_BYTES} bytes")
    target = urlsplit(words[1])
    return Request(words[0], unquote(target.path), target.query, headers, await reader.readexactly(length))
