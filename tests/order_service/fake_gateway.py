"""A gateway for tests that answers as oddly as it is told to, on a real socket."""

import asyncio
import contextlib
import socket
import struct
from typing import Literal, Self

import orjson

Mode = Literal[
    "fill",
    "ack",
    "reject",
    "silence",
    "garbage",
    "truncated",
    "reset",
    "wrong_types",
    "endless_decimal",
    "wrong_order",
    "told_before",
    "huge_400",
    "status_500",
    "status_302",
    "status_400",
    "huge",
    "slow",
]


class FakeGateway:
    """Book each order it receives, then answer as `mode` says. `posts` holds every order id that arrived, in order."""

    def __init__(self) -> None:
        self.mode: Mode = "fill"
        self.posts: list[str] = []
        self.cancels: list[str] = []
        self.booked: dict[str, dict[str, object]] = {}
        self.books = True
        self.cancel_status = 200
        # What each execution says beside what the mode makes of it.
        self.says: dict[str, object] = {}
        self.answers: list[bytes] = []
        self.release = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def base_url(self) -> str:
        """Give the address for the gateways file."""
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen, on the same port as before where there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self.release.set()
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head, await reader.readexactly(_length(head)), writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if method == "POST":
            await self._new_order(orjson.loads(body), writer)
        elif method == "DELETE":
            self._cancel(path.rpartition("/")[2], writer)
        elif path == "/health":
            _respond(writer, 200, {"status": "ok"})
        else:
            known = self.booked.get(path.rpartition("/")[2])
            _respond(writer, 200, known) if known else _respond(writer, 404, {"error": {"code": "UNKNOWN_ORDER"}})

    def _cancel(self, client_order_id: str, writer: asyncio.StreamWriter) -> None:
        self.cancels.append(client_order_id)
        execution = self.booked.get(client_order_id)
        if self.cancel_status != 200 or execution is None:
            return _respond(writer, self.cancel_status if execution else 404, {"error": {"code": "NO"}})
        execution.update(exec_type="canceled", ord_status="canceled", exec_id=f"c-{client_order_id}", leaves_qty="0")
        return _respond(writer, 200, execution)

    async def _new_order(  # noqa: C901, PLR0912 - one case per oddity
        self, order: dict[str, object], writer: asyncio.StreamWriter
    ) -> None:
        self.posts.append(str(order["client_order_id"]))
        execution = {**execution_of(order, self.mode), **self.says}
        if self.books:
            self.booked[str(order["client_order_id"])] = execution
        match self.mode:
            case "silence" | "slow":
                await self.release.wait()
                _respond(writer, 200, execution)
            case "garbage":
                writer.write(b"\x00\xffnot http at all\r\n\r\n")
                writer.close()
            case "truncated":
                writer.write(_raw(200, execution)[:-30])
                writer.close()
            case "reset":
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            case "told_before":
                writer.write(self.answers[0])
            case "wrong_types":
                _respond(writer, 200, {**execution, "cum_qty": {"a": 1}})
            case "endless_decimal":
                _respond(writer, 200, {**execution, "last_px": "1E+3000000"})
            case "wrong_order":
                _respond(writer, 200, {**execution, "client_order_id": "another"})
            case "status_500" | "status_302" | "status_400":
                _respond(writer, int(self.mode[7:]), {"error": {"code": "MALFORMED", "message": "no"}})
            case "huge_400":
                _respond(writer, 400, {"error": {"code": "TOO_BAD", "message": "x" * 200_000}})
            case "huge":
                _respond(writer, 200, {**execution, "padding": "x" * 200_000})
            case "fill" | "ack" | "reject":
                self.answers.append(_raw(200, execution))
                writer.write(self.answers[-1])


def execution_of(order: dict[str, object], mode: str) -> dict[str, object]:
    """Make the execution a venue would book."""
    quantity = order["quantity"]
    filled = mode not in {"ack", "reject"}
    kind = {"ack": ("new", "new"), "reject": ("rejected", "rejected")}.get(mode, ("trade", "filled"))
    return {
        "client_order_id": order["client_order_id"],
        "gateway_order_id": f"g-{order['client_order_id']}",
        "exec_id": f"e-{order['client_order_id']}",
        "exec_type": kind[0],
        "ord_status": kind[1],
        "last_qty": quantity if filled else "0",
        "last_px": "100.50" if filled else None,
        "cum_qty": quantity if filled else "0",
        "leaves_qty": "0" if mode != "ack" else quantity,
        "avg_px": "100.50" if filled else None,
        "transact_time": "2026-01-05T15:00:00.000001Z",
        "reject": {"code": "MARKET_CLOSED", "text": "closed"} if mode == "reject" else None,
    }


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _raw(status: int, document: object) -> bytes:
    body = orjson.dumps(document)
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _respond(writer: asyncio.StreamWriter, status: int, document: object) -> None:
    writer.write(_raw(status, document))
