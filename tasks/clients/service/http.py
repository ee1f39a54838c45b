"""The only door to HTTP (httpx): one bounded exchange, whose every end is a value."""

import asyncio
import errno
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from tasks.clients.service.access import Access, access_of, tls_words
from tasks.clients.service.client_certificate import WORDS, is_refused
from tasks.clients.service.event_loop_lag import event_loop_lag
from tasks.model.errors import CannotObserve
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.service.http_settings import HttpSettings

USER_AGENT = "trading-runbook"
# Redirects are not followed: a probe asks one address. No compression: a small body must not unpack to a large one.
# Of what we waited, this share without a core or a free loop: then it was we who did not listen.
HELD_UP_RATIO = 0.5
HEADERS = {"accept": "*/*", "accept-encoding": "identity", "connection": "keep-alive", "user-agent": USER_AGENT}
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=0)
# Beneath every deadline of ours.
WAIT_LIMIT_S = 30.0
# How an exchange may end but for its time.
ENDS = (CannotObserve, httpx.HTTPError, httpx.InvalidURL, OSError, OverflowError, ValueError, ExceptionGroup)


FAULT_WORDS = {
    Fault.REFUSED: "the connection was refused",
    Fault.UNREACHABLE: "no connection could be made",
    Fault.CUT_OFF: "the connection was cut off",
    Fault.MALFORMED: "the answer is not HTTP",
    Fault.CLIENT: "our own request failed",
}


class HttpClient(NamedTuple):
    """How one service is asked: as whom, or why it cannot be, and over which connections."""

    asked_as: HttpSettings
    access: Access | CannotObserve
    transport: httpx.AsyncHTTPTransport
    connect_timeout_s: float


@dataclass(frozen=True)
class Call:
    """One request to make. Units: `deadline_s` bounds the whole exchange, `body_limit_bytes` the answer."""

    method: str
    url: str
    deadline_s: float
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body_limit_bytes: int = 1_048_576


@asynccontextmanager
async def http_client(http: HttpSettings, connect_timeout_s: float) -> AsyncIterator[HttpClient]:
    """Open a client for one pass of checks; the environment's proxies never stand between us and the service.

    Each request has a connection of its own, as it would have from somebody who comes for the first time. Redirects,
    cookies and all else that a browser does are left out: they cost a third of the CPU, and a sweep makes thousands.
    Errors: none; a file of the settings that cannot be used makes every exchange end as `Fault.CLIENT`, with why.
    """
    access: Access | CannotObserve
    try:
        access = access_of(http)
    except CannotObserve as error:
        access = error
    tls = access.tls if isinstance(access, Access) else False
    async with httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=LIMITS) as transport:
        yield HttpClient(http, access, transport, connect_timeout_s)


async def exchange(client: HttpClient, call: Call, limit: asyncio.Timeout | None = None) -> Exchange:
    """Make one request and keep what came back; a caller that keeps `limit` can end it sooner.

    Errors: none; a refused, silent, cut, oversize or malformed answer is what the service did, so it is a value.
    A failure of our own (name resolution, no descriptors left, a bad URL) is `Fault.CLIENT`: blind. So is TLS that was
    not agreed, and an answer that we waited for while we ourselves were held up: `held_up`.
    """
    started = time.monotonic()
    answer = _Answer()
    with event_loop_lag() as delay:
        try:
            async with limit or asyncio.timeout(call.deadline_s):
                await _stream(client, call, answer)
        except (TimeoutError, httpx.TimeoutException):
            answer.fault, answer.detail = Fault.TIMED_OUT, f"no full answer in deadline_s={call.deadline_s:g}"
        except ENDS as error:
            answer.fault, answer.detail = fault_of(error)
        seconds_s = time.monotonic() - started
        if answer.fault is Fault.TIMED_OUT and delay.seconds_s >= HELD_UP_RATIO * seconds_s:
            answer.held_up = True
            answer.detail += f"; we ourselves were held up for {delay.seconds_s:.1f} s of {seconds_s:.1f} s"
    if answer.ended_unheard and await _is_refused(client, call.url):
        answer.fault, answer.detail = Fault.TLS, WORDS
    return _as_exchange(call, answer, seconds_s)


async def _is_refused(client: HttpClient, url: str) -> bool:
    return url.startswith("https:") and await asyncio.to_thread(is_refused, url, client.asked_as)


@dataclass
class _Answer:
    fault: Fault = Fault.NONE
    detail: str = ""
    http_status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)
    held_up: bool = False

    @property
    def ended_unheard(self) -> bool:
        return self.http_status is None and self.fault in {Fault.CUT_OFF, Fault.UNREACHABLE}


async def _stream(client: HttpClient, call: Call, answer: _Answer) -> None:
    async with aclosing(await client.transport.handle_async_request(_request(client, call))) as response:
        answer.http_status = response.status_code
        answer.headers = tuple((name[:200], value[:1000]) for name, value in response.headers.multi_items()[:50])
        async for part in response.aiter_raw():
            answer.body += part
            if len(answer.body) > call.body_limit_bytes:
                answer.fault, answer.detail = Fault.TOO_LARGE, f"body over limit_bytes={call.body_limit_bytes}"
                return


def _request(client: HttpClient, call: Call) -> httpx.Request:
    if isinstance(client.access, CannotObserve):
        raise client.access
    url = httpx.URL(call.url)
    client.access.check(url.scheme)
    timeout = httpx.Timeout(WAIT_LIMIT_S, connect=client.connect_timeout_s).as_dict()
    named = {"sni_hostname": client.access.server_name} if client.access.server_name is not None else {}
    headers = {**HEADERS, **client.access.headers, **{name.lower(): value for name, value in call.headers.items()}}
    return httpx.Request(
        call.method, url, headers=headers, content=call.body or None, extensions={"timeout": timeout, **named}
    )


def _unpack(answer: _Answer, limit_bytes: int) -> None:
    """Unpack an answer that came packed though we asked for a plain one; half of it is no answer."""
    named = next((value for name, value in answer.headers if name.lower() == "content-encoding"), "identity")
    encoding = named.strip().lower()
    if answer.fault is not Fault.NONE or encoding in ("", "identity"):
        return
    packed, answer.body = bytes(answer.body), bytearray()
    if encoding not in ("gzip", "x-gzip"):
        answer.fault, answer.detail = Fault.MALFORMED, f"packed as {encoding[:40]}, which was not asked for"
        return
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = unpacking.decompress(packed, limit_bytes + 1)
    except zlib.error:
        answer.fault, answer.detail = Fault.MALFORMED, "a gzip answer that cannot be unpacked"
        return
    if len(body) > limit_bytes:
        answer.fault, answer.detail = Fault.TOO_LARGE, f"body over limit_bytes={limit_bytes} when unpacked"
    elif not unpacking.eof:
        answer.fault, answer.detail = Fault.CUT_OFF, "a gzip answer that ends early"
    else:
        answer.body = bytearray(body)


def _as_exchange(call: Call, answer: _Answer, seconds_s: float) -> Exchange:
    _unpack(answer, call.body_limit_bytes)
    return Exchange(
        method=call.method,
        url=call.url,
        request_body=call.body.decode("utf-8", errors="replace"),
        fault=answer.fault,
        detail=answer.detail,
        http_status=answer.http_status,
        headers=answer.headers,
        body=bytes(answer.body[: call.body_limit_bytes]).decode("utf-8", errors="replace"),
        seconds_s=round(seconds_s, 4),
        held_up=answer.held_up,
    )


def fault_of(error: Exception) -> tuple[Fault, str]:
    """Name what ended an exchange, and say it in words."""
    reason = _root(error)
    if isinstance(reason, ssl.SSLError) and (words := tls_words(reason)):
        return Fault.TLS, words
    match error:
        case CannotObserve():
            return Fault.CLIENT, str(error)
        case httpx.ConnectError():
            fault = connect_fault(reason)
        case httpx.ReadError() | httpx.WriteError() | httpx.CloseError():
            fault = Fault.CUT_OFF
        case httpx.RemoteProtocolError():
            fault = Fault.CUT_OFF if _ended_early(str(error)) else Fault.MALFORMED
        case _:
            fault = Fault.CLIENT
    return fault, fault_words(fault, reason)


def fault_words(fault: Fault, reason: BaseException) -> str:
    """Say in words what went wrong, with the system's own text, and none of a library's class names."""
    if isinstance(reason, socket.gaierror):
        answered = reason.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return "unreachable: the name does not resolve" + ("" if answered else ", no name server answers")
    if fault is Fault.REFUSED:
        return FAULT_WORDS[fault]
    said = (reason.strerror if isinstance(reason, OSError) else None) or str(reason)
    return f"{FAULT_WORDS[fault]}{f' ({said})' if said else ''}"[:300]


def _ended_early(message: str) -> bool:
    return "disconnected" in message or "closed connection" in message


def connect_fault(reason: BaseException) -> Fault:
    if isinstance(reason, ConnectionRefusedError):
        return Fault.REFUSED
    # Our resolver may be the one that is broken; an address that nobody has says nothing of who would answer there.
    if isinstance(reason, socket.gaierror):
        return Fault.CLIENT
    number = getattr(reason, "errno", None)
    if number in {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}:
        return Fault.CLIENT
    return Fault.REFUSED if "refused" in str(reason).lower() else Fault.UNREACHABLE


def _root(error: BaseException) -> BaseException:
    """Find the system's own error beneath a library's: the first that has a number.

    What lies deeper may be an error that was being handled when the call was made, and has nothing to do with it.
    """
    seen: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in seen:
        seen.append(inner)
        if isinstance(inner, OSError) and inner.errno is not None:
            return inner
        inner = inner.exceptions[0] if isinstance(inner, BaseExceptionGroup) else inner.__cause__ or inner.__context__
    return next((one for one in reversed(seen) if isinstance(one, OSError)), seen[-1])
