"""The answers of the order port, as the fault in force lets them be, and of the admin port, always truthful."""

import asyncio
from typing import Any

import orjson
from aiohttp import web

from order_service.gateway_simulator.book import Book, OrderDone
from order_service.gateway_simulator.fault_switch import Fault, FaultKind, FaultSwitch, InvalidFault, parse_fault
from order_service.gateway_simulator.port import reset
from order_service.gateway_simulator.venue_order import MalformedOrder, parse_order
from order_service.runtime.known_hosts import KnownHosts, Sender, is_json

_BODY_LIMIT_BYTES = 65_536
_HANGING = frozenset({FaultKind.SILENCE, FaultKind.UNREACHABLE})


def answer(status: int, document: Any) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")


def problem(status: int, code: str, message: str) -> web.Response:
    return answer(status, {"error": {"code": code, "message": message}})


class OrderServer:
    """Answer the gateway protocol.

    A low-level server without router or middleware: the path is four cases, and each order costs 0.2 ms less.
    """

    def __init__(self, name: str, book: Book, switch: FaultSwitch, hosts: KnownHosts) -> None:
        self._name = name
        self._book = book
        self._switch = switch
        self._hosts = hosts

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        path, method = request.path, request.method
        if path == "/orders" and method == "POST":
            return await self._new_order(request)
        if path.startswith("/orders/") and method == "DELETE":
            return await self._cancel(request)
        if method in {"GET", "HEAD"}:
            return await self._answer_question(request, self.read(path))
        return problem(405, "METHOD_NOT_ALLOWED", f"expected GET, POST /orders or DELETE /orders/ID, was {method}")

    def refusal(self, request: web.BaseRequest) -> web.Response | None:
        """Refuse what a web page could send, on either port: the admin port asks here as well."""
        headers = request.headers
        found = (tuple(headers.getall(name, ())) for name in ("Host", "Origin", "Sec-Fetch-Site"))
        stranger = self._hosts.stranger(Sender(request.method, *found))
        if stranger is not None:
            status, code = (403, "FOREIGN_ORIGIN") if stranger.is_foreign_page else (421, "UNKNOWN_HOST")
            return problem(status, code, stranger.message)
        if request.method in {"POST", "PUT"} and not is_json(headers.get("Content-Type", "")):
            return problem(415, "UNSUPPORTED_CONTENT", "expected Content-Type application/json in UTF-8")
        return None

    def read(self, path: str) -> web.Response:
        """Answer a question, whatever the fault: the admin port asks here as well."""
        if path == "/health":
            return answer(200, {"status": "ok", "gateway": self._name})
        if path == "/orders":
            return answer(200, {"orders": self._book.listing()})
        if not path.startswith("/orders/"):
            return problem(404, "NOT_FOUND", f"expected /health or /orders, was {path[:100]}")
        known = self._book.get(path.removeprefix("/orders/"))
        return answer(200, known.execution) if known else _unknown_order()

    async def _new_order(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _read_body(request)
        if body is None:
            return problem(413, "BODY_TOO_LARGE", f"expected at most {_BODY_LIMIT_BYTES} bytes, was more")
        try:
            order = parse_order(body)
        except MalformedOrder as error:
            return problem(400, "MALFORMED_ORDER", str(error))
        fault = self._switch.for_order(order.asset_class)
        if fault.fault is FaultKind.UNREACHABLE:  # nothing sent over a dead network arrives
            await self._switch.hold(_transport(request))
        return await self._answer_order(request, answer(200, self._book.receive(order, fault)), fault)

    async def _cancel(self, request: web.BaseRequest) -> web.StreamResponse:
        fault = self._switch.fault if not self._switch.fault.asset_classes else self._switch.for_reading()
        if fault.fault is FaultKind.UNREACHABLE:
            await self._switch.hold(_transport(request))
        try:
            execution = self._book.cancel(request.path.removeprefix("/orders/"))
        except OrderDone as error:
            return problem(409, "ORDER_DONE", f"expected an open order, was {error}")
        return await self._answer_order(request, answer(200, execution) if execution else _unknown_order(), fault)

    async def _answer_question(self, request: web.BaseRequest, response: web.Response) -> web.StreamResponse:
        fault = self._switch.for_reading()
        return await self._delay(request, response, fault)

    async def _answer_order(self, request: web.BaseRequest, response: web.Response, fault: Fault) -> web.StreamResponse:
        """Answer an order that is booked already, or break the connection as the fault says."""
        match fault.fault:
            case FaultKind.RESET:
                reset(_transport(request))
            case FaultKind.TRUNCATED:
                _transport(request).write(_raw(response)[:-40])
                _transport(request).close()
            case FaultKind.DUPLICATE_FILL:
                _transport(request).write(_raw(response))
                return response
            case _:
                return await self._delay(request, response, fault)
        await self._switch.hold(_transport(request))
        return response

    async def _delay(self, request: web.BaseRequest, response: web.Response, fault: Fault) -> web.StreamResponse:
        if fault.fault is FaultKind.LATENCY:
            await asyncio.sleep(fault.latency_ms / 1000)
        if fault.fault in _HANGING or self._switch.fault.fault is FaultKind.UNREACHABLE:
            await self._switch.hold(_transport(request))
        return response


async def _read_body(request: web.BaseRequest) -> bytes | None:
    if (request.content_length or 0) > _BODY_LIMIT_BYTES:
        return None
    body = await request.content.read(_BODY_LIMIT_BYTES + 1)
    while len(body) <= _BODY_LIMIT_BYTES and not request.content.at_eof():
        body += await request.content.read(_BODY_LIMIT_BYTES + 1 - len(body))
    return body if len(body) <= _BODY_LIMIT_BYTES else None


def _raw(response: web.Response) -> bytes:
    body = response.body if isinstance(response.body, bytes) else b""
    head = f"HTTP/1.1 {response.status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _transport(request: web.BaseRequest) -> asyncio.Transport:
    if request.transport is None:
        raise asyncio.CancelledError  # the client is gone; the server ends the handler in the same way
    return request.transport


def _unknown_order() -> web.Response:
    return problem(404, "UNKNOWN_ORDER", "no order of this id was ever received here")


class AdminServer:
    """Answer on the admin port: GET and PUT /faults, and GET of /health, /orders and /orders/ID."""

    def __init__(self, switch: FaultSwitch, orders: OrderServer) -> None:
        self._switch = switch
        self._orders = orders

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        refusal = self._orders.refusal(request)
        if refusal is not None:
            return refusal
        if request.path != "/faults":
            return self._orders.read(request.path) if request.method == "GET" else _only_get_and_put(request)
        if request.method == "GET":
            return answer(200, self._switch.fault.document())
        if request.method == "PUT":
            return await self._put(request)
        return _only_get_and_put(request)

    async def _put(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            fault = parse_fault(await request.read())
        except InvalidFault as error:
            return problem(400, "INVALID_FAULT", str(error))
        try:
            await self._switch.set(fault)
        except OSError as error:
            return problem(500, "FAULT_NOT_SET", f"expected the port to follow, was {error}")
        return answer(200, self._switch.fault.document())


def _only_get_and_put(request: web.BaseRequest) -> web.Response:
    return problem(405, "METHOD_NOT_ALLOWED", f"expected GET, or PUT /faults, was {request.method}")
