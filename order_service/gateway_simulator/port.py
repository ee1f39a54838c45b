"""The order port as a thing that can be closed, opened, or left unanswered while the process lives on."""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable

from aiohttp import web

from order_service.runtime.listening import bind

_FILL_TRIES = 64


def reset(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None and sys.platform != "win32":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class OrderPort:
    """Own the order port in one of three states: open, closed, unanswered."""

    def __init__(self, bound: socket.socket, protocols: Callable[[], web.RequestHandler]) -> None:
        self._socket = bound
        self.host, self.port = bound.getsockname()[:2]
        self._protocols = protocols
        self._server: asyncio.AbstractServer | None = None
        self._fillers: list[socket.socket] = []

    async def open(self) -> None:
        if self._server is None:
            if self._fillers:
                self._rebind()
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._protocols, sock=self._socket, backlog=4096)

    async def close(self) -> None:
        """Refuse new connections; the port stays ours."""
        self._rebind()

    async def unanswer(self) -> None:
        """Leave connects without an answer: a listener that never accepts, with its backlog full.

        Errors: OSError where the platform refuses instead; Linux drops the connects as a dead network does.
        """
        self._rebind()
        self._socket.listen(0)
        for _ in range(_FILL_TRIES):
            if not await self._fill():
                return

    async def _fill(self) -> bool:
        """Take one place in the backlog; false when it is full."""
        filler = socket.socket(self._socket.family, socket.SOCK_STREAM)
        filler.setblocking(False)
        self._fillers.append(filler)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(filler, (self.host, self.port)), 0.05)
        except TimeoutError:
            return False
        return True

    def _rebind(self) -> None:
        """Start again from a bound socket that does not listen."""
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._socket.close()
        self._socket = bind(self.host, self.port)
