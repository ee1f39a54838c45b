"""The connection an order leaves on: the last check before its bytes go, and why there is none."""

import errno
from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from order_service.orders.order import NewOrder
from order_service.runtime.codes import Refused

_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to its host",
    errno.ENETUNREACH: "its network is unreachable",
    errno.EACCES: "the connection is not permitted here",
    errno.EPERM: "the connection is not permitted here",
    errno.EMFILE: "no file descriptor is left here",
    errno.ENFILE: "no file descriptor is left here",
    errno.EADDRNOTAVAIL: "no local port is left here",
}


def why_no_connection(error: aiohttp.ClientConnectorError) -> str:
    """Separate a name that does not resolve and a certificate that is not accepted from a port where nobody listens."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"its name {error.host} was not resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection was agreed on"
    return _BY_ERRNO.get(error.os_error.errno or 0, "cannot be reached")


Recheck = Callable[[NewOrder, str], None]


def no_recheck(order: NewOrder, gateway: str) -> None:
    """Let every order leave."""


class LastCheckedBody(BytesPayload):
    """Write the order unless it may no longer leave; `refused` says why nothing was written.

    An order waits for a connection too, and a halt that is answered in that time holds it back. Between the check and
    the write nothing is awaited, so that no change comes between. aiohttp keeps the head of the request back until the
    body comes.
    """

    def __init__(self, body: bytes, may_leave: Callable[[], None]) -> None:
        super().__init__(body, content_type="application/json")
        self._may_leave = may_leave
        self.refused: Refused | None = None

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Ask, then write.

        Errors: Refused; aiohttp ends the request and closes the connection.
        """
        try:
            self._may_leave()
        except Refused as refused:
            self.refused = refused
            raise
        await super().write_with_length(writer, content_length)
