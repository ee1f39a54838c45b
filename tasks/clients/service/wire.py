"""One request over one connection of its own: h11 on a plain transport.

A client for everything, with pools and redirects, spends three times the CPU on it, and a sweep makes thousands.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import NamedTuple

import h11
import httpx

HEAD_LIMIT_BYTES = 102_400
# So much of an answer may wait to be read.
UNREAD_LIMIT_BYTES = 262_144
MAY_BE_EMPTY = frozenset({"POST", "PUT", "PATCH"})
ENDED_UNHEARD = "Server disconnected without sending a response."
_ERRNO = re.compile(r"\[Errno (\d{1,5})\]")


class NotConnected(Exception):
    """No connection was made, and so nothing was sent; its cause is the reason."""


class RequestTarget(NamedTuple):
    """Where a request goes; `name` is what stands in its `Host`, `path` what it asks for."""

    scheme: str
    host: str
    port: int
    name: str
    path: bytes


class AnswerHead(NamedTuple):
    """The beginning of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def target_of(url: str) -> RequestTarget:
    """Read an address as a browser would.

    Errors: `ValueError`, `httpx.InvalidURL`.
    """
    found = httpx.URL(url)
    if found.scheme not in {"http", "https"} or not found.host:
        raise ValueError(f"expected http:// or https:// and a host, found {url[:200]!r}")
    port = found.port or (443 if found.scheme == "https" else 80)
    return RequestTarget(
        found.scheme, found.raw_host.decode("ascii"), port, found.netloc.decode("ascii"), found.raw_path
    )


class Connection(asyncio.Protocol):
    """What comes over one connection: in the order in which it came, and only then how it ended."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._came = bytearray()
        self._is_over = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the types: it is made for a stream
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        if self._transport is not None and len(self._came) > UNREAD_LIMIT_BYTES:
            self._transport.pause_reading()
            self._is_paused = True
        self._wake()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def read(self) -> bytes:
        """Give what has come; nothing at the end.

        Errors: `OSError`, how the connection ended otherwise.
        """
        if not self._came and not self._is_over:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._came and self._error is not None:
            raise self._error
        data = bytes(self._came)
        self._came.clear()
        if self._is_paused and self._transport is not None and not self._is_over:
            self._transport.resume_reading()
            self._is_paused = False
        return data

    def abort(self) -> None:
        """End it; a goodbye of TLS may wait for the other side, and nobody waits for it."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: Exception | None) -> None:
        if not self._is_over:
            self._is_over, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@asynccontextmanager
async def connected(
    host: str, port: int, timeout_s: float, tls: ssl.SSLContext | None = None, name: str | None = None
) -> AsyncIterator[Connection]:
    """Connect, and end the connection afterwards; `name` is whom the certificate must name.

    Errors: `NotConnected` because of the reason, `TimeoutError`.
    """
    connection = Connection()
    try:
        async with asyncio.timeout(timeout_s):
            await _connect(connection, host, port, tls, name)
        yield connection
    finally:
        connection.abort()


async def _connect(connection: Connection, host: str, port: int, tls: ssl.SSLContext | None, name: str | None) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(
            lambda: connection, host, port, ssl=tls, server_hostname=(name or host) if tls else None
        )
    except OSError as error:
        raise NotConnected from _first(error)


def _first(error: OSError) -> OSError:
    """Of several addresses that did not answer, give the reason of the first; asyncio only joins their words."""
    found = _ERRNO.search(str(error)) if error.errno is None and not isinstance(error, ssl.SSLError) else None
    return OSError(int(found[1]), str(error)) if found else error


class Wire:
    """One request and its answer. Errors of each call: `OSError`, `h11.RemoteProtocolError`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._spoken = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)

    def send(self, method: str, target: RequestTarget, headers: Mapping[str, str], body: bytes) -> None:
        """Send the request.

        Errors: `h11.LocalProtocolError` where it is no request.
        """
        table = {"host": target.name, **headers}
        if body or method in MAY_BE_EMPTY:
            table["content-length"] = str(len(body))
        named = [(name.title(), value) for name, value in table.items()]
        said = self._spoken.send(h11.Request(method=method, target=target.path, headers=named)) or b""
        said += (self._spoken.send(h11.Data(data=body)) or b"") if body else b""
        self._connection.write(said + (self._spoken.send(h11.EndOfMessage()) or b""))

    async def head(self) -> AnswerHead:
        """Wait for the beginning of the answer."""
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        if not isinstance(event, h11.Response):
            raise h11.RemoteProtocolError("expected the beginning of an answer")
        return AnswerHead(event.status_code, tuple((_text(name), _text(value)) for name, value in event.headers))

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the body as it comes."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def _next(self) -> object:
        while (event := self._spoken.next_event()) is h11.NEED_DATA:
            data = await self._connection.read()
            if not data and self._spoken.their_state is h11.SEND_RESPONSE:
                raise ConnectionError(ENDED_UNHEARD)
            self._spoken.receive_data(data)
        return event


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
