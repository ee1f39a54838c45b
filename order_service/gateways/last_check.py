"""The body of an order on its way out: asked for leave at the moment its bytes go, and not before."""

from collections.abc import Callable

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from order_service.codes import Refused
from order_service.order import NewOrder

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
